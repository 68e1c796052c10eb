import { readHealthStatus } from '../../../queries/health/health-status.ts';
import { findRuntimeRecord, listRuntimeRecords } from '../../../queries/health/runtime-records.ts';
import type { App, RouteDeps } from '../app.ts';
import { given } from '../given.ts';
import { fromRedis } from '../http/from-redis.ts';
import { Problem } from '../http/problem.ts';
import { problems } from '../schemas/common.ts';
import {
  healthEvents,
  runtimeRecord,
  runtimeRecordPage,
  runtimeRecordQuery,
  runtimeRecordsQuery,
} from '../schemas/runtime-records.ts';

const tags = ['runtime records'];

export function addRuntimeRecordRoutes(app: App, { config, database, redis }: RouteDeps): void {
  app.get(
    '/api/v1/runtime-records',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'listRuntimeRecords',
        summary: 'How the runtimes of games are, by game',
        tags,
        querystring: runtimeRecordsQuery,
        response: { 200: runtimeRecordPage, ...problems },
      },
    },
    async ({ query: { limit, after = null, ...filter } }) =>
      listRuntimeRecords(database, { ...given(filter), after, limit }),
  );

  app.get(
    '/api/v1/runtime-record',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getRuntimeRecord',
        summary: 'How the runtime of one game is',
        tags,
        querystring: runtimeRecordQuery,
        response: { 200: runtimeRecord, ...problems },
      },
    },
    async ({ query: { gameId } }) => {
      const found = await findRuntimeRecord(database, gameId);
      if (found === null) throw new Problem('not-found', 'There is no runtime record of this game');
      return found;
    },
  );

  app.get(
    '/api/v1/health-events',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getHealthEvents',
        summary: 'Who reads the health events, how far behind, and how the games are',
        tags,
        response: { 200: healthEvents, ...problems },
      },
    },
    async () => {
      // Asked first: a server that has stopped to answer is else waited for much longer.
      await fromRedis(() => redis.ping());
      return readHealthStatus({ database, redis, config: config.health });
    },
  );
}
