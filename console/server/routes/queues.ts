import { type QueueName, queueNames } from '../../../shared/contracts/queues.ts';
import { ageSeconds, sumReadings } from '../../../shared/platform/redis/read-queue.ts';
import type { App, RouteDeps } from '../app.ts';
import { fromRedis } from '../http/from-redis.ts';
import { Problem } from '../http/problem.ts';
import { countWorkers } from '../queues/count-workers.ts';
import type { WatchedQueue, WatchedShard } from '../queues/queue-watch.ts';
import { backlogOf, minWorkers, toDemand } from '../queues/scaling.ts';
import { problems } from '../schemas/common.ts';
import { queueHistory, queueList, queuesQuery, scaling, scalingQuery } from '../schemas/queues.ts';

const tags = ['queues'];

export function addQueueRoutes(app: App, { config, queueWatch, redis, shardList }: RouteDeps): void {
  /** The queues with their workers, now. */
  const look = () =>
    fromRedis(async () => {
      const count = async (queue: QueueName) => {
        const { shards } = await shardList.of(queue);
        return countWorkers(redis, { shards, namespace: config.namespace });
      };
      const [queues, workers] = await Promise.all([queueWatch.read(), Promise.all(queueNames.map(count))]);
      return queues.map((queue, index) => ({ ...queue, workers: workers[index] ?? null }));
    });

  app.get(
    '/api/v1/queues',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'listQueues',
        summary: 'The queues’ lengths, their rates, and when they would be empty',
        tags,
        querystring: queuesQuery,
        response: { 200: queueList, ...problems },
      },
    },
    async ({ query }) => {
      const queues = await look();
      const nowMs = Date.now();
      return {
        at: new Date(nowMs),
        queues: queues.map(({ shards, ...queue }) => ({
          ...queue,
          oldestAgeSeconds: ageSeconds(queue.oldestAddedAtMs, nowMs),
          drainSeconds: drainSeconds(queue),
          shardCount: shards.length,
          ...(query.shards === 'true' ? { shards: shards.map((shard) => toShardState(shard, nowMs)) } : {}),
        })),
      };
    },
  );

  app.get(
    '/api/v1/queues/history',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getQueueHistory',
        summary: 'Depth and age of the queues over the last hour',
        tags,
        response: { 200: queueHistory, ...problems },
      },
    },
    async () => ({ queues: queueNames.map((queue) => ({ queue, samples: [...queueWatch.pastOf(queue)] })) }),
  );

  app.get(
    '/api/v1/scaling',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getScaling',
        summary: 'The numbers that an autoscaler needs',
        tags,
        querystring: scalingQuery,
        response: { 200: scaling, ...problems },
      },
    },
    async ({ query: { targetSeconds } }) => {
      const queues = (await look()).map((queue) => toLoad(queue, targetSeconds));
      const running = queues.filter(({ isPaused }) => !isPaused);
      // With a guess, an autoscaler would start workers by the hundred each time a console starts.
      if (running.some((queue) => !queue.isPartial && queue.backlog > 0 && queue.completionsPerSecond === null))
        throw new Problem('unavailable', 'The queues’ rates are not known yet; ask again in a second');
      const desired = queues.flatMap((queue) => queue.desiredWorkers ?? []);
      return {
        targetSeconds,
        backlogSeconds: Math.max(0, ...running.map((queue) => queue.backlogSeconds)),
        oldestAgeSeconds: Math.max(...queues.map((queue) => queue.oldestAgeSeconds)),
        minWorkers: Math.max(...queues.map((queue) => queue.minWorkers)),
        desiredWorkers: desired.length === 0 ? null : Math.max(...desired),
        queues,
      };
    },
  );
}

function toShardState({ shard, oldestAddedAtMs, ...reading }: WatchedShard, nowMs: number) {
  return { ...reading, name: shard, oldestAgeSeconds: ageSeconds(oldestAddedAtMs, nowMs) };
}

function toLoad(queue: WatchedQueue & { workers: number | null }, targetSeconds: number) {
  const { isPaused, isPartial, workers, rates, shards } = queue;
  const load = {
    // No worker can take the others.
    backlog: backlogOf(sumReadings(shards.filter(({ isStale }) => !isStale))),
    completionsPerSecond: rates?.completionsPerSecond ?? null,
    isPaused,
    isPartial,
    workers,
  };
  return {
    ...load,
    ...toDemand(load, targetSeconds),
    queue: queue.queue,
    oldestAgeSeconds: ageSeconds(queue.oldestAddedAtMs, Date.now()) ?? 0,
    minWorkers: minWorkers(queue),
  };
}

function drainSeconds(queue: Omit<WatchedQueue, 'shards'>): number | null {
  const backlog = backlogOf(queue);
  const rate = queue.rates?.completionsPerSecond ?? 0;
  if (backlog === 0) return 0;
  return rate === 0 || queue.isPaused ? null : backlog / rate;
}
