import { listDeadLetterSummaries } from '../../../dead-letters/list.ts';
import {
  type DeadLetterState,
  discardDeadLetters,
  findDeadLetter,
  groupDeadLetters,
} from '../../../dead-letters/read.ts';
import { parseRepair } from '../../../dead-letters/repairs.ts';
import { replayDeadLetters } from '../../../dead-letters/replay.ts';
import { requireRedis } from '../../../shared/platform/config/config.ts';
import { omitUndefined } from '../../../shared/platform/omit-undefined.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { fromRedis } from '../http/from-redis.ts';
import { Problem } from '../http/problem.ts';
import {
  deadLetter,
  deadLetterCauses,
  deadLetterCausesQuery,
  deadLetterPage,
  deadLetterParams,
  deadLettersQuery,
  discardAnswer,
  discardBody,
  replayAnswer,
  replayBody,
} from '../schemas/dead-letters.ts';
import { subjectOfRecord } from '../subject-of-record.ts';

const tags = ['dead letters'];

/** How long to wait for one answer of Redis while dead letters are replayed. */
const redisSilenceMs = 10_000;

export function addDeadLetterRoutes(app: App, deps: RouteDeps): void {
  addReading(app, deps);
  addReplay(app, deps);

  app.post(
    '/api/v1/dead-letters/discard',
    apiRoute('operator', {
      operationId: 'discardDeadLetters',
      summary: 'Discards open dead letters for good; they stay visible',
      tags,
      body: discardBody,
      answers: { 200: discardAnswer },
    }),
    async ({ body: { all, ...filter } }) => ({
      discarded: await discardDeadLetters(deps.database, omitUndefined(filter)),
    }),
  );
}

function addReading(app: App, { database, names }: RouteDeps): void {
  app.get(
    '/api/v1/dead-letters',
    apiRoute('read', {
      operationId: 'listDeadLetters',
      summary: 'Records that could not be stored, last seen first',
      tags,
      querystring: deadLettersQuery,
      answers: { 200: deadLetterPage },
    }),
    async ({ query: { limit, cursor = null, ...filter } }) =>
      listDeadLetterSummaries(database, { filter: omitUndefined(filter), limit, cursor }),
  );

  app.get(
    '/api/v1/dead-letters/causes',
    apiRoute('read', {
      operationId: 'listDeadLetterCauses',
      summary: 'Dead letters by cause and state, the most numerous first',
      tags,
      querystring: deadLetterCausesQuery,
      answers: { 200: deadLetterCauses },
    }),
    async ({ query: { limit, ...filter } }) => ({
      causes: await groupDeadLetters(database, omitUndefined(filter), limit),
    }),
  );

  app.get(
    '/api/v1/dead-letters/:id',
    apiRoute('read', {
      operationId: 'getDeadLetter',
      summary: 'One dead letter, with its payload',
      tags,
      params: deadLetterParams,
      answers: { 200: deadLetter },
    }),
    async ({ params: { id } }) => {
      const found = await findDeadLetter(database, id);
      if (found === null) throw new Problem('not-found', 'There is no dead letter with this id');
      const subject = subjectOfRecord(found.queue, found.payload);
      const name = subject === null ? null : ((await names.find(subject.kind, [subject.id])).get(subject.id) ?? null);
      return {
        ...found,
        state: found.state as DeadLetterState,
        subject: subject === null ? null : { ...subject, name },
      };
    },
  );
}

function addReplay(app: App, { database, config }: RouteDeps): void {
  app.post(
    '/api/v1/dead-letters/replay',
    apiRoute('operator', {
      operationId: 'replayDeadLetters',
      summary: 'Puts dead letters back into their queue; repeating this stores nothing twice',
      tags,
      body: replayBody,
      answers: { 200: replayAnswer },
    }),
    async ({ body: { all, limit, repairs, ...filter } }) => {
      const parsed = repairs.map(parseRepair);
      // A connection of its own: the queues that are opened on it are closed with it.
      const redis = createRedis(requireRedis(config.redis), {
        role: 'consumer',
        name: 'sluice:replay',
        logger: null,
        silenceMs: redisSilenceMs,
      });
      try {
        await fromRedis(() => redis.connect(), 'Redis did not answer; nothing was replayed');
        return await replayDeadLetters(
          { database, redis, namespace: config.namespace, memoryShare: config.memoryShare, shards: config.shards },
          {
            filter: { ...omitUndefined(filter), state: filter.state },
            repairs: parsed,
            limit,
            perSecond: null,
            onProgress: () => undefined,
          },
        );
      } catch (error) {
        if (redis.status === 'ready' || error instanceof Problem) throw error;
        const detail =
          'The connection to Redis was lost during the replay; repeat the request, which stores nothing twice';
        throw new Problem('unavailable', detail, { cause: error });
      } finally {
        redis.disconnect();
      }
    },
  );
}
