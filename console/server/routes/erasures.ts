import type { App, RouteDeps } from '../app.ts';
import { createErasureDesk } from '../erasure-desk.ts';
import { apiRoute } from '../http/api-route.ts';
import { Problem } from '../http/problem.ts';
import { erasure, erasureBody } from '../schemas/erasures.ts';

const tags = ['erasures'];

/** The subject is in the body, because addresses are written to logs. */
export function addErasureRoutes(app: App, deps: RouteDeps): void {
  const desk = createErasureDesk(deps);
  app.addHook('onClose', () => desk.stop());

  app.post(
    '/api/v1/erasures',
    apiRoute('operator', {
      operationId: 'beginErasure',
      summary:
        'Starts to erase a user or a realm from tables, dead letters and queues; repeating this continues with what is left',
      tags,
      body: erasureBody,
      answers: { 202: erasure },
    }),
    async ({ body: { kind, id, dryRun, ownOnly } }, reply) => {
      if (!desk.begin({ kind, id }, { dryRun, ownOnly }))
        throw new Problem('conflict', 'An erasure is already running in this console; ask for its progress');
      return reply.code(202).send(desk.state());
    },
  );

  app.get(
    '/api/v1/erasures',
    apiRoute('operator', {
      operationId: 'getErasure',
      summary: 'The progress of this console’s erasure, and the report of the last one',
      tags,
      answers: { 200: erasure },
    }),
    async () => desk.state(),
  );
}
