import type { Registry } from 'prom-client';
import type { App } from '../app.ts';
import { Problem } from '../http/problem.ts';

/** What the probes need. */
export interface ProbeDeps {
  registry: Registry;
  /** null if both servers answer, otherwise which one does not */
  whyNotReady: () => Promise<string | null>;
}

/** `/healthz` (this process answers; it has no work that could get stuck), `/readyz` (it can answer questions), `/metrics`. */
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
