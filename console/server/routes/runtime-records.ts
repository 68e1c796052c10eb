import { readHealthStatus } from '../../../queries/health/health-status.ts';
import { findRuntimeRecord, listRuntimeRecords } from '../../../queries/health/runtime-records.ts';
import { omitUndefined } from '../../../shared/platform/omit-undefined.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { fromRedis } from '../http/from-redis.ts';
import { Problem } from '../http/problem.ts';
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
    apiRoute('read', {
      operationId: 'listRuntimeRecords',
      summary: 'The state of the games’ runtimes, by game',
      tags,
      querystring: runtimeRecordsQuery,
      answers: { 200: runtimeRecordPage },
    }),
    async ({ query: { limit, after = null, ...filter } }) =>
      listRuntimeRecords(database, { ...omitUndefined(filter), after, limit }),
  );

  app.get(
    '/api/v1/runtime-record',
    apiRoute('read', {
      operationId: 'getRuntimeRecord',
      summary: 'The state of one game’s runtime',
      tags,
      querystring: runtimeRecordQuery,
      answers: { 200: runtimeRecord },
    }),
    async ({ query: { gameId } }) => {
      const found = await findRuntimeRecord(database, gameId);
      if (found === null) throw new Problem('not-found', 'There is no runtime record of this game');
      return found;
    },
  );

  app.get(
    '/api/v1/health-events',
    apiRoute('read', {
      operationId: 'getHealthEvents',
      summary: 'Which process reads the health events, its lag, and the state of the games',
      tags,
      answers: { 200: healthEvents },
    }),
    async () => {
      // Redis is asked first: the wait for a server that has stopped answering is otherwise much longer.
      await fromRedis(() => redis.ping());
      return readHealthStatus({ database, redis, config: config.health });
    },
  );
}
