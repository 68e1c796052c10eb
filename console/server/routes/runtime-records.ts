import { readHealthStatus } from '../../../queries/health/health-status.ts';
import { findRuntimeRecord, listRuntimeRecords } from '../../../queries/health/runtime-records.ts';
import { omitUndefined } from '../../../shared/platform/omit-undefined.ts';
import type { App, RouteDeps } from '../app.ts';
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
        summary: 'The state of the games’ runtimes, by game',
        tags,
        querystring: runtimeRecordsQuery,
        response: { 200: runtimeRecordPage, ...problems },
      },
    },
    async ({ query: { limit, after = null, ...filter } }) =>
      listRuntimeRecords(database, { ...omitUndefined(filter), after, limit }),
  );

  app.get(
    '/api/v1/runtime-record',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getRuntimeRecord',
        summary: 'The state of one game’s runtime',
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
        summary: 'Which process reads the health events, its lag, and the state of the games',
        tags,
        response: { 200: healthEvents, ...problems },
      },
    },
    async () => {
      // Redis is asked first: the wait for a server that has stopped answering is otherwise much longer.
      await fromRedis(() => redis.ping());
      return readHealthStatus({ database, redis, config: config.health });
    },
  );
}
