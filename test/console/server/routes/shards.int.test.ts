import { Worker } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createQueueWatch } from '../../../../console/server/queues/queue-watch.ts';
import { createShardList } from '../../../../console/server/queues/shard-list.ts';
import { queuePrefix, type ShardName } from '../../../../shared/contracts/queues.ts';
import { aConsole } from '../../../support/a-console.ts';
import { fillShards } from '../../../support/filled-shards.ts';
import { openQueue, until } from '../../../support/fixtures.ts';
import { connectRedis } from '../../../support/health.ts';

/** A worker of a shard that takes no jobs: its connection waits for them. */
async function startIdleWorker(namespace: string, shard: ShardName): Promise<Worker> {
  const worker = new Worker(shard, async () => undefined, {
    connection: connectRedis(inject('redisUrl')),
    prefix: queuePrefix(shard, namespace),
    removeOnComplete: { count: 0 },
  });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close());
  await worker.waitUntilReady();
  return worker;
}

test('queues: the shards of a queue are one queue in all figures, and each is told on demand', async () => {
  const { get, namespace } = await aConsole();
  const shards = await fillShards(namespace, [1, 2, 0, 3]);
  const addedAt = Date.now() - 90_000;
  await shards[3]?.add('chunk', {}, { timestamp: addedAt, lifo: true });
  await shards[1]?.add('chunk', {}, { delay: 600_000 });
  await shards[1]?.pause();
  const { body } = await get('/api/v1/queues?shards=true');
  const [executions, requests] = body.queues;
  // The third has never had a job, and so it is not there.
  expect(executions).toMatchObject({ waiting: 7, delayed: 1, isPaused: false, isPartial: false, shardCount: 3 });
  expect(executions.oldestAgeSeconds).toBeCloseTo((Date.parse(body.at) - addedAt) / 1_000, 1);
  expect(executions.shards).toMatchObject([
    { name: 'execution-log', waiting: 1, isPaused: false, isStale: false },
    { name: 'execution-log-1', waiting: 2, delayed: 1, isPaused: true, isStale: false },
    { name: 'execution-log-3', waiting: 4, isPaused: false, isStale: false },
  ]);
  expect(requests).toMatchObject({ waiting: 0, shardCount: 1, shards: [{ name: 'completed-request', waiting: 0 }] });
  expect((await get('/api/v1/queues')).body.queues[0].shards).toBeUndefined();
  const { text } = await get('/metrics');
  expect(text).toContain('sluice_queue_backlog_jobs{queue="execution-log"} 7\n');
  expect(text).toContain('sluice_queue_paused{queue="execution-log"} 0\n');
  for (const shard of shards) await shard.pause();
  expect((await get('/api/v1/queues')).body.queues[0].isPaused).toBe(true);
});

test('queues: a process that waits at each shard is one worker, also before it has found them all', async () => {
  const { get, namespace } = await aConsole();
  await fillShards(namespace, [0, 1, 1]);
  for (const shard of [
    'execution-log',
    'execution-log-1',
    'execution-log',
    'execution-log-2',
    'execution-log',
  ] as const)
    await startIdleWorker(namespace, shard);
  await until(async () => (await get('/api/v1/queues')).body.queues[0].workers === 3);
  expect((await get('/api/v1/scaling')).body.queues[0]).toMatchObject({ workers: 3, isPartial: false });
});

test('queues: rates are sums over the shards, and jobs of a shard that is found later are no burst', async () => {
  const { namespace, redis } = await aConsole();
  let nowMs = 0;
  const shardList = createShardList({ redis, namespace });
  const watch = createQueueWatch({ redis, namespace, shardList, elapsedMs: () => nowMs });
  const look = async () => {
    const [executions] = await watch.read();
    return executions;
  };
  const [first, second] = await fillShards(namespace, [1, 1]);
  expect((await look())?.rates).toBeNull();
  await first?.add('chunk', {});
  for (let n = 0; n < 3; n += 1) await second?.add('chunk', {});
  nowMs = 10_000;
  const rates = { arrivalsPerSecond: 0.4, completionsPerSecond: 0, overSeconds: 10 };
  expect((await look())?.rates).toEqual(rates);

  const late = openQueue(namespace, inject('redisUrl'), 'execution-log-2');
  await late.addBulk(Array.from({ length: 50 }, () => ({ name: 'chunk', data: {} })));
  const found = await until(async () => {
    const seen = await look();
    return seen?.shards.length === 3 && seen;
  });
  expect(found).toMatchObject({ waiting: 56, rates: null });
  await late.add('chunk', {});
  nowMs = 20_000;
  expect((await look())?.rates).toEqual({ arrivalsPerSecond: 4 / 20 + 0.1, completionsPerSecond: 0, overSeconds: 20 });
});

test('Bull Board: each shard is a queue of the board, also one that comes later, and can be paused', async () => {
  const { ask, get, namespace } = await aConsole();
  await fillShards(namespace, [1, 1]);
  const names = async () => (await get('/queues/api/queues')).body.queues.map((one: { name: string }) => one.name);
  expect(await names()).toEqual(['execution-log', 'execution-log-1', 'completed-request', 'maintenance']);
  const [late] = (await fillShards(namespace, [0, 0, 1])).slice(2);
  await until(async () => (await names()).includes('execution-log-2'));
  expect(await names()).toEqual([
    'execution-log',
    'execution-log-1',
    'execution-log-2',
    'completed-request',
    'maintenance',
  ]);
  expect((await ask('PUT', '/queues/api/queues/execution-log-2/pause')).status).toBe(200);
  expect(await late?.isPaused()).toBe(true);
});

test('queues: a shard that cannot be read for good, and not for a while, is an error and no gap', async () => {
  const { get, namespace, redis } = await aConsole();
  await fillShards(namespace, [1, 1]);
  await redis.set(`${queuePrefix('execution-log-1', namespace)}:execution-log-1:failed`, 'no set');
  expect((await get('/api/v1/queues')).status).toBe(503);
  expect((await get('/readyz')).text).toContain('WRONGTYPE');
});
