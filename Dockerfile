# One image for every role: `docker run … <image> worker execution-log`, `… migrate`, `… --help`.
# The tag pins the major version and the distribution, and still gets security patches.
FROM node:24-bookworm-slim AS base
WORKDIR /app

# The Prisma client is generated, not committed. Only its generator needs development packages.
# No install scripts: they would download a second Node and Prisma's native engines, and nothing here uses either.
# No optional packages: they are platform binaries (compilers, linters, an embedded PostgreSQL) for development.
FROM base AS client
COPY package.json package-lock.json .npmrc ./
COPY producers/package.json producers/
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --omit=optional
COPY prisma.config.ts ./
COPY prisma/schema.prisma prisma/
# Any executable will do as the engine: generating does not run it, but would download one if the file did not exist.
RUN CHECKPOINT_DISABLE=1 PRISMA_SCHEMA_ENGINE_BINARY=/bin/true npx prisma generate

# A separate stage, so that it builds in parallel with the one above and changes only with the lock file.
# npm counts Prisma's CLI and TypeScript, optional peers of @prisma/client, as both dev and optional. Omit both kinds:
# with `--omit=dev` alone, they are installed and triple the size. Prisma's compilers for four other databases are 55 MB.
FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
COPY producers/package.json producers/
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --omit=dev --omit=optional \
  && find node_modules/@prisma/client/runtime -name 'query_compiler_*' ! -name '*.postgresql.*' -delete

FROM base
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules/
# Node runs the sources directly (it strips the types), so there is no build. package.json declares them as ES modules.
COPY package.json ./
COPY prisma prisma/
COPY --from=client /app/prisma/client prisma/client/
COPY shared shared/
COPY producers producers/
COPY gateway gateway/
COPY workers workers/
COPY console console/
COPY dev dev/
COPY demo demo/
COPY archive archive/
COPY dead-letters dead-letters/
COPY doctor doctor/
COPY erasure erasure/
COPY names names/
COPY queries queries/
COPY cli cli/

# A volume inherits the directory's owner. The process is not root and has to write there.
RUN mkdir --parents /var/lib/sluice/archive && chown node:node /var/lib/sluice/archive

# Everything above belongs to root, so the process can read its own code but not change it.
USER node

# The port of /metrics, /healthz and /readyz. It is reachable only inside the container unless SLUICE_WORKER_HOST says otherwise.
EXPOSE 9465

# Uses Node because the slim image has no curl. /healthz needs no token.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${Number(process.env.SLUICE_WORKER_PORT) || 9465}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# Exec form, so that SIGTERM reaches the process itself, without a shell in between.
ENTRYPOINT ["node", "cli/main.ts"]
CMD ["worker", "execution-log"]
