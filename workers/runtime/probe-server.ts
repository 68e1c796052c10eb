import { createHash, timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyReply } from 'fastify';
import { AggregatorRegistry, type Registry } from 'prom-client';
import { listenOn } from '../../shared/platform/listen-on.ts';

/** What the probe server serves and on whose word. */
export interface ProbeServerOptions {
  host: string;
  /** 0 takes a free one */
  port: number;
  /** asked for as a bearer token by /metrics; null: open to whoever can reach the port */
  metricsToken: string | null;
  /** of one role each, and of the process; they may have metrics of the same name, told apart by their labels */
  registries: readonly Registry[];
  /** null when the worker can do its work now, else why it cannot */
  whyNotReady: () => Promise<string | null>;
  /** null when the worker gets on, or has a reason not to that a restart would not mend; else what it hangs on */
  livenessFailure: () => string | null;
}

/** Serves `/metrics`, `/healthz` (this process answers and gets on) and `/readyz` (it can do its work). */
export async function startProbeServer(options: ProbeServerOptions) {
  const server = Fastify({ logger: false, bodyLimit: 1_024, forceCloseConnections: true });
  const tell = (reply: FastifyReply, reason: string | null) =>
    reason === null ? { status: 'ok' } : reply.code(503).send({ status: 'unavailable', reason });
  server.get('/healthz', (_request, reply) => tell(reply, options.livenessFailure()));
  server.get('/readyz', async (_request, reply) => tell(reply, await options.whyNotReady()));
  server.get('/metrics', async (request, reply) => {
    if (options.metricsToken !== null && !isToken(request.headers.authorization, options.metricsToken)) {
      return reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({ error: 'a bearer token is required: SLUICE_METRICS_TOKEN' });
    }
    const metrics = AggregatorRegistry.aggregate(
      await Promise.all(options.registries.map((registry) => registry.getMetricsAsJSON())),
    );
    return reply.type(metrics.contentType).send(await metrics.metrics());
  });
  const { host, port } = options;
  const url = await listenOn(server, { host, port, variables: 'SLUICE_WORKER' });
  return { url, stop: () => server.close() };
}

/** Compares digests, so that the time taken says nothing about the token. */
function isToken(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}
