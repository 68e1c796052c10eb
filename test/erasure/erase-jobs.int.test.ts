import { Worker } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { eraseJobs } from '../../erasure/erase-jobs.ts';
import { createScope } from '../../erasure/erase-record.ts';
import { readCompressedChunk } from '../../shared/contracts/compressed-chunk.ts';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import { chunkOfJob } from '../../shared/platform/chunk-of-job.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { compressed } from '../support/compressed-chunk.ts';
import { recordText } from '../support/execution-fleet.ts';
import { createNamespace, openQueue, until } from '../support/fixtures.ts';
import { targetOf } from '../support/redis-target.ts';

const user = 'gone-1';
const signal = new AbortController().signal;

async function aQueue() {
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const connect = () => {
    const redis = createRedis(targetOf(inject('redisUrl')), { role: 'worker', name: 'test', logger: null });
    onTestFinished(() => redis.disconnect());
    return redis;
  };
  const redis = connect();
  // It takes a job when it is told to, and holds it.
  const worker = new Worker('execution-log', null, {
    ...{ connection: connect(), prefix: queuePrefix('execution-log', namespace), lockDuration: 60_000, autorun: false },
  });
  onTestFinished(() => worker.close(true));
  let number = 0;
  const recordOf = (externalUserId: string) => {
    number += 1;
    return JSON.parse(recordText(number, { externalUserId })) as object;
  };
  const add = async (...users: string[]) => {
    const records = users.map(recordOf);
    const job = await queue.add('chunk', { v: 1, producer: 'p', epoch: 1, seq: 1, records });
    return job.id ?? '';
  };
  const erase = (waitMs: number) => {
    const scope = createScope({ kind: 'user', id: user }, { before: new Date(), ownOnly: false });
    return eraseJobs(
      { redis, namespace },
      { scope, dryRun: false, waitMs, signal, onProgress: () => undefined, onChunkErased: async () => undefined },
    );
  };
  const usersOf = async (id: string): Promise<string[]> => {
    const job = await queue.getJob(id);
    const { records } = (job?.data ?? { records: [] }) as { records: { externalUserId: string }[] };
    return records.map(({ externalUserId }) => externalUserId);
  };
  return { queue, redis, worker, add, erase, usersOf };
}

test('jobs: one that a worker holds is changed for whoever reads it next, and said to be held', async () => {
  const { queue, worker, add, erase, usersOf } = await aQueue();
  const id = await add('stays', user);
  const job = await worker.getNextJob('token');
  expect(job?.id).toBe(id);
  expect(await erase(0)).toMatchObject({ erasedRecords: 1, heldJobs: 1 });
  expect(await usersOf(id)).toEqual(['stays']);
  await job?.moveToFailed(new Error('it failed'), 'token');
  expect(await usersOf(id)).toEqual(['stays']);
  expect(await erase(0)).toMatchObject({ erasedRecords: 0, heldJobs: 0 });
  expect(await queue.getJobCounts('active', 'failed')).toEqual({ active: 0, failed: 1 });
});

test('jobs: one that is completed, and stays to be looked at, is changed or removed like any other', async () => {
  const { queue, worker, add, erase, usersOf } = await aQueue();
  const complete = async (token: string): Promise<void> => {
    const job = await worker.getNextJob(token);
    if (!job) throw new Error('there is no job');
    job.opts.removeOnComplete = { count: 10 };
    await job.moveToCompleted(null, token, false);
  };
  const shared = await add('stays', user);
  const own = await add(user);
  await complete('first');
  await complete('second');
  expect(await erase(0)).toMatchObject({ erasedRecords: 2, heldJobs: 0 });
  expect(await usersOf(shared)).toEqual(['stays']);
  expect(await queue.getJob(own)).toBeUndefined();
  expect(await queue.getJobCounts('completed')).toEqual({ completed: 1 });
  // Completed while it is waited for.
  const late = await add(user);
  const job = await worker.getNextJob('third');
  const erasure = erase(30_000);
  if (job) job.opts.removeOnComplete = { count: 10 };
  await until(async () => (await queue.getActiveCount()) === 1);
  await job?.moveToCompleted(null, 'third', false);
  expect(await erasure).toMatchObject({ erasedRecords: 1, heldJobs: 0 });
  expect(await queue.getJob(late)).toBeUndefined();
});

test('jobs: one with bytes that are no UTF-8 is changed too', async () => {
  const { queue, redis, add, erase, usersOf } = await aQueue();
  const id = await add('stays', user);
  const data = (await redis.hget(queue.toKey(id), 'data')) ?? '';
  const at = data.indexOf('stays') + 'stays'.length;
  const bytes = [Buffer.from(data.slice(0, at)), Buffer.from([0xff]), Buffer.from(data.slice(at))];
  await redis.hset(queue.toKey(id), { data: Buffer.concat(bytes) });
  expect(await erase(0)).toMatchObject({ erasedRecords: 1, heldJobs: 0 });
  expect(await usersOf(id)).toEqual(['stays\ufffd']);
});

test('jobs: one with nothing else in it is waited for, and removed when it comes back', async () => {
  const { queue, worker, add, erase } = await aQueue();
  const id = await add(user);
  const job = await worker.getNextJob('token');
  const erasing = erase(30_000);
  let isDone = false;
  void erasing.then(() => {
    isDone = true;
  });
  await until(async () => (await queue.getJobCounts('active'))['active'] === 1);
  expect(isDone).toBe(false);
  await job?.moveToWait('token');
  expect(await erasing).toMatchObject({ erasedRecords: 1, heldJobs: 0 });
  expect(await queue.getJob(id)).toBeUndefined();
  expect(await queue.getJobCounts('active', 'waiting')).toEqual({ active: 0, waiting: 0 });
});

test('jobs: hundreds of them, beside workers that take them, lose no record of others', async () => {
  const { queue, worker, add, erase, usersOf } = await aQueue();
  const jobs = 300;
  for (let job = 0; job < jobs; job += 1) await add(user, 'stays', user);
  const seen: string[][] = [];
  const taking = (async () => {
    for (;;) {
      const job = await worker.getNextJob(`token-${seen.length}`);
      if (!job) return;
      seen.push((job.data as { records: { externalUserId: string }[] }).records.map((record) => record.externalUserId));
      await job.moveToFailed(new Error('kept'), `token-${seen.length - 1}`);
    }
  })();
  expect(await erase(30_000)).toMatchObject({ erasedRecords: jobs * 2, heldJobs: 0 });
  await taking;
  expect(seen.map((users) => users.filter((one) => one === 'stays'))).toEqual(seen.map(() => ['stays']));
  const failed = await queue.getFailed(0, jobs);
  expect(failed).toHaveLength(jobs);
  for (const { id } of failed.slice(0, 20)) expect(await usersOf(id ?? '')).toEqual(['stays']);
  expect(failed.some(({ data }) => JSON.stringify(data).includes(user))).toBe(false);
});

test('jobs: those in every shard of a queue are changed, and an unknown shard is not taken for an empty one', async () => {
  const { queue, redis, add, erase } = await aQueue();
  const { data } = (await queue.getJob(await add('stays', user))) ?? {};
  const namespace = /^\{(.*):/.exec(queue.opts.prefix ?? '')?.[1] ?? '';
  const shard = openQueue(namespace, inject('redisUrl'), 'execution-log-7');
  const inShard = await shard.add('chunk', data);
  expect(await erase(0)).toMatchObject({ erasedRecords: 2, heldJobs: 0 });
  const left: { data: { records: { externalUserId: string }[] } } | undefined = await shard.getJob(inShard.id ?? '');
  expect(left?.data.records.map(({ externalUserId }) => externalUserId)).toEqual(['stays']);
  redis.disconnect();
  await expect(erase(0)).rejects.toThrow(/255 shards of execution-log do not answer/);
});

test('jobs: a compressed one is changed and stays compressed, whoever holds it', async () => {
  const { queue, redis, worker, add, erase } = await aQueue();
  const id = await add(user, 'stays', user, ...Array.from({ length: 10 }, () => 'stays'));
  const plain = (await redis.hget(queue.toKey(id), 'data')) ?? '';
  await redis.hset(queue.toKey(id), { data: compressed(plain, 13) });
  expect((await worker.getNextJob('token'))?.id).toBe(id);
  expect(await erase(0)).toMatchObject({ erasedRecords: 2, heldJobs: 1, unreadableJobs: 0 });
  const data = (await redis.hget(queue.toKey(id), 'data')) ?? '';
  expect(readCompressedChunk(data)?.count).toBe(11);
  const records = chunkOfJob<{ externalUserId: string }>({ data: JSON.parse(data) })?.records ?? [];
  expect(records.map(({ externalUserId }) => externalUserId)).toEqual(Array(11).fill('stays'));
  expect(await erase(0)).toMatchObject({ erasedRecords: 0, unreadableJobs: 0 });
});
