import type { App, RouteDeps } from '../app.ts';
import { createErasureDesk } from '../erasure-desk.ts';
import { Problem } from '../http/problem.ts';
import { problems } from '../schemas/common.ts';
import { erasure, erasureBody } from '../schemas/erasures.ts';

const tags = ['erasures'];

/** Whom it is about stands in the body: an address is written to logs. */
export function addErasureRoutes(app: App, deps: RouteDeps): void {
  const desk = createErasureDesk(deps);
  app.addHook('onClose', () => desk.stop());

  app.post(
    '/api/v1/erasures',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'beginErasure',
        summary:
          'Begins to erase a user or a realm from tables, dead letters and queues; asking again goes on with what is left',
        tags,
        body: erasureBody,
        response: { 202: erasure, ...problems },
      },
    },
    async ({ body: { kind, id, dryRun, ownOnly } }, reply) => {
      if (!desk.begin({ kind, id }, { dryRun, ownOnly }))
        throw new Problem('conflict', 'This console is erasing already; ask how far it is');
      return reply.code(202).send(desk.state());
    },
  );

  app.get(
    '/api/v1/erasures',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getErasure',
        summary: 'How far the erasure of this console is, and what the last one did',
        tags,
        response: { 200: erasure, ...problems },
      },
    },
    async () => desk.state(),
  );
}
