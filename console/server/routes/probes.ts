import type { Registry } from 'prom-client';
import type { App } from '../app.ts';
import { Problem } from '../http/problem.ts';

/** What the probes ask. */
export interface ProbeDeps {
  registry: Registry;
  /** null when both servers answer, else which does not */
  whyNotReady: () => Promise<string | null>;
}

/** `/healthz` (this process answers; it has no work of its own to get stuck in), `/readyz` (it can answer questions), `/metrics`. */
export function addProbeRoutes(app: App, { registry, whyNotReady }: ProbeDeps): void {
  const schema = { hide: true };
  app.get('/healthz', { config: { access: 'anybody' }, schema }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config: { access: 'anybody' }, schema }, async () => {
    const reason = await whyNotReady();
    if (reason !== null) throw new Problem('unavailable', reason);
    return { status: 'ok' };
  });
  app.get('/metrics', { config: { access: 'metrics' }, schema }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
