import { type Job, Worker } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { changeQueue, type QueueChange } from '../../../../cli/commands/queues/change-queue.ts';
import { jobName, queuePrefix } from '../../../../shared/contracts/queues.ts';
import { createRedis } from '../../../../shared/platform/redis/redis.ts';
import { fillShards } from '../../../support/filled-shards.ts';
import { createNamespace, openQueue, until } from '../../../support/fixtures.ts';
import { connectRedis } from '../../../support/health.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';
import { targetOf } from '../../../support/redis-target.ts';

async function setUp() {
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const redis = connectRedis();
  const change = (name: QueueChange) => changeQueue(redis, { queue: 'execution-log', namespace, change: name });
  return { namespace, queue, change };
}

/** A worker of BullMQ's that does with each job what it is told. */
function startWorker(namespace: string, work: (job: Job) => Promise<void>) {
  const connection = connectRedis();
  const worker = new Worker('execution-log', work, { connection, prefix: queuePrefix('execution-log', namespace) });
  onTestFinished(async () => {
    await worker.close();
    connection.disconnect();
  });
  return worker;
}

test('queue change: failed jobs are put back and worked on again, each once', async () => {
  const { namespace, queue, change } = await setUp();
  let isBroken = true;
  const done: string[] = [];
  startWorker(namespace, async ({ id = '' }) => {
    if (isBroken) throw new Error('no');
    done.push(id);
  });
  await queue.addBulk(['a', 'b', 'c'].map((jobId) => ({ name: jobName, data: {}, opts: { jobId } })));
  await until(async () => (await queue.getFailedCount()) === 3);
  isBroken = false;
  expect(await change('retry')).toMatchObject({ failedBefore: 3, failedAfter: 0, paused: false });
  await until(() => done.length === 3);
  expect(done.sort()).toEqual(['a', 'b', 'c']);
  expect(await change('retry')).toMatchObject({ failedBefore: 0, failedAfter: 0 });
});

test('queue change: of a paused queue no job is taken until it is resumed, and repeating either changes nothing', async () => {
  const { namespace, queue, change } = await setUp();
  const done: string[] = [];
  startWorker(namespace, async ({ id = '' }) => {
    done.push(id);
  });
  for (let times = 0; times < 2; times += 1) expect(await change('pause')).toMatchObject({ paused: true });
  await queue.add(jobName, {}, { jobId: 'held' });
  expect(await queue.isPaused()).toBe(true);
  expect(done).toEqual([]);
  for (let times = 0; times < 2; times += 1) expect(await change('resume')).toMatchObject({ paused: false });
  await until(() => done.length === 1);
});

test("queue change: the producers' bound on events stays as it was", async () => {
  // Not opened by anybody else: who opens a queue may set that bound.
  const namespace = createNamespace();
  const redis = connectRedis();
  const meta = `${queuePrefix('execution-log', namespace)}:execution-log:meta`;
  await redis.hset(meta, 'opts.maxLenEvents', '1000', 'version', 'bullmq:6.7.0');
  await changeQueue(redis, { queue: 'execution-log', namespace, change: 'pause' });
  expect(await redis.hgetall(meta)).toEqual({ 'opts.maxLenEvents': '1000', version: 'bullmq:6.7.0', paused: '1' });
});

test('queue change: a queue is paused and resumed with all its shards, also with those that come while it is paused', async () => {
  const { namespace, change } = await setUp();
  const shards = await fillShards(namespace, [1, 1, 0, 1]);
  expect(await change('pause')).toMatchObject({ paused: true, unchanged: [] });
  const [, , late] = await fillShards(namespace, [0, 0, 1]);
  for (const shard of [...shards, late]) expect(await shard?.isPaused()).toBe(true);
  const done: string[] = [];
  const connection = connectRedis();
  const worker = new Worker('execution-log-2', async ({ id = '' }) => void done.push(id), {
    connection,
    prefix: queuePrefix('execution-log-2', namespace),
  });
  onTestFinished(async () => {
    await worker.close();
    connection.disconnect();
  });
  await worker.waitUntilReady();
  expect(await late?.getWaitingCount()).toBe(1);
  expect(await change('resume')).toMatchObject({ paused: false, unchanged: [] });
  await until(() => done.length === 1);
  for (const shard of shards) expect(await shard.isPaused()).toBe(false);
  // Nothing is left of those that never came.
  const [meta] = [`${queuePrefix('execution-log-9', namespace)}:execution-log-9:meta`];
  expect(await connection.exists(meta)).toBe(0);
});

test('queue change: failed jobs of all shards are put back, and are counted together', async () => {
  const { namespace, change } = await setUp();
  const shards = await fillShards(namespace, [1, 2, 0, 3]);
  for (const shard of shards) {
    const connection = connectRedis();
    const worker = new Worker(shard.name, () => Promise.reject(new Error('no')), {
      connection,
      prefix: shard.opts.prefix ?? '',
    });
    await until(async () => (await shard.getWaitingCount()) + (await shard.getActiveCount()) === 0);
    await worker.close();
  }
  expect(await change('retry')).toMatchObject({ failedBefore: 6, failedAfter: 0, unchanged: [] });
  expect(await Promise.all(shards.map((shard) => shard.getWaitingCount()))).toEqual([1, 2, 0, 3]);
});

test('queue change: a full Redis does not keep anybody from pausing a queue with the shards to come, and from resuming it', async () => {
  const { url } = await startFragileRedis();
  const redis = createRedis(targetOf(url), { role: 'consumer', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  const [first] = await fillShards('full', [1, 1], { redisUrl: url });
  await redis.config('SET', 'maxmemory', '1mb');
  await expect(redis.set('another', 'x')).rejects.toThrow(/OOM/);
  const change = (name: QueueChange) => changeQueue(redis, { queue: 'execution-log', namespace: 'full', change: name });
  expect(await change('pause')).toMatchObject({ paused: true, unchanged: [] });
  expect(await redis.hget('{full:execution-log-255}:execution-log-255:meta', 'paused')).toBe('1');
  expect(await change('resume')).toMatchObject({ paused: false, unchanged: [] });
  expect(await first?.isPaused()).toBe(false);
});
