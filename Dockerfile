# One image for every role: `docker run … <image> worker execution-log`, `… migrate`, `… --help`.
# The tag fixes major version and distribution and still takes security patches.
FROM node:24-bookworm-slim AS base
WORKDIR /app

# The Prisma client is generated, not committed, and only its generator needs development packages.
# No install scripts: they would fetch a second Node and Prisma's native engines, and nothing here uses either.
# No optional packages: they are platform binaries (compilers, linters, an embedded PostgreSQL) for work outside an image.
FROM base AS client
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --omit=optional
COPY prisma.config.ts ./
COPY prisma/schema.prisma prisma/
# Any executable serves as the engine: generating does not run it, it only looks for a file before it downloads one.
RUN CHECKPOINT_DISABLE=1 PRISMA_SCHEMA_ENGINE_BINARY=/bin/true npx prisma generate

# A stage of its own, so that it is built beside the one above and changes only with the lock file.
# Both kinds are left out, because npm counts Prisma's CLI and TypeScript, optional peers of @prisma/client, as either:
# with `--omit=dev` alone they come along and triple the size.
FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --omit=dev --omit=optional

FROM base
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules/
# Node runs the sources as they are (it strips the types), so there is no build; package.json says that they are ES modules.
COPY package.json ./
COPY prisma prisma/
COPY --from=client /app/prisma/client prisma/client/
COPY shared shared/
COPY producers producers/
COPY workers workers/
COPY console console/
COPY local local/
COPY archive archive/
COPY cli cli/

# A volume takes over whom the directory belongs to: the process, which is not root, has to write there.
RUN mkdir --parents /var/lib/sluice/archive && chown node:node /var/lib/sluice/archive

# Everything above belongs to root: the process can read its own code, not change it.
USER node

# The port of /metrics, /healthz and /readyz. It answers inside the container only, until SLUICE_WORKER_HOST says otherwise.
EXPOSE 9465

# By Node, as the slim image has no curl. /healthz says that the process answers, and needs no token.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${Number(process.env.SLUICE_WORKER_PORT) || 9465}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# Exec form: without a shell in between, SIGTERM reaches the process that has to drain.
ENTRYPOINT ["node", "cli/main.ts"]
CMD ["worker", "execution-log"]
