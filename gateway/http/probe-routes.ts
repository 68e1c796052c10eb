import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** What the probes need. */
export interface ProbeDeps {
  registry: Registry;
  /** null: it takes records */
  whyNotReady: () => Promise<string | null>;
}

/** `/healthz` (this process answers), `/readyz` (it takes records), `/metrics`. */
export function addProbeRoutes(app: FastifyInstance, { registry, whyNotReady }: ProbeDeps): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = await whyNotReady();
    return reason === null ? { status: 'ok' } : reply.code(503).send({ status: 'not ready', reason });
  });
  app.get('/metrics', { config: { scope: 'metrics' } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
