import { Worker } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { noteSubjectErasure } from '../../../erasure/note-erasure.ts';
import { readQueueFacts } from '../../../queries/queues/queue-facts.ts';
import { chunkId } from '../../../shared/contracts/chunk.ts';
import { queuePrefix } from '../../../shared/contracts/queues.ts';
import { chunkOfJob } from '../../../shared/platform/chunk-of-job.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import {
  createCompletedSample,
  keptForSeconds,
  keptJobs,
  onComplete,
} from '../../../workers/ingest/completed-sample.ts';
import { anExecution } from '../../support/execution.ts';
import { createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { targetOf } from '../../support/redis-target.ts';
import { startObserver } from '../../support/started-observer.ts';
import { startWorker } from '../../support/worker.ts';

function connectTo(redisUrl: string) {
  const redis = createRedis(targetOf(redisUrl), { role: 'worker', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** A shard whose worker lets every job stay that may: a second passes between any two. */
async function aShard(redisUrl = inject('redisUrl')) {
  const namespace = createNamespace();
  const queue = openQueue(namespace, redisUrl);
  const redis = connectTo(redisUrl);
  let nowMs = 0;
  const sample = createCompletedSample({ redis, keyOf: (part) => queue.toKey(part), now: () => (nowMs += 1_000) });
  const done: string[] = [];
  const worker = new Worker('execution-log', async (job) => sample.decide(job, JSON.stringify(job.data)), {
    ...{ connection: connectTo(redisUrl), prefix: queuePrefix('execution-log', namespace) },
    ...onComplete,
  });
  worker.on('error', () => undefined);
  worker.on('completed', (job) => {
    sample.completed(job);
    done.push(job.id ?? '');
  });
  onTestFinished(() => worker.close());
  let seq = 0;
  const add = async ({ size = 10, id = null, keeps }: { size?: number; id?: string | null; keeps?: boolean } = {}) => {
    seq += 1;
    const chunk = { v: 1, producer: 'p', epoch: 1, seq, records: ['x'.repeat(size)] };
    const jobId = id ?? chunkId(chunk);
    await queue.add('chunk', chunk, { jobId, ...(keeps === undefined ? {} : { removeOnComplete: !keeps }) });
    await until(() => done.includes(jobId));
    await sample.close();
    return jobId;
  };
  const kept = async () => (await queue.getCompleted()).map(({ id }) => id);
  return { queue, redis, sample, add, kept };
}

test('completed sample: a chunk that was stored stays to be looked at, for a while, and is no work to anybody', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  await startWorker(databaseUrl, namespace);
  const queue = openQueue(namespace);
  startObserver(namespace).record(anExecution({ caseName: 'Kept' }));
  const [job] = await until(async () => {
    const jobs = await queue.getCompleted();
    return jobs.length > 0 && jobs;
  });
  expect(chunkOfJob<{ caseName: string }>(job)?.records.map(({ caseName }) => caseName)).toEqual(['Kept']);
  const redis = connectTo(inject('redisUrl'));
  for (const key of [queue.toKey(job?.id ?? ''), queue.toKey('completed')]) {
    const ttlMs = await until(async () => {
      const ms = await redis.pttl(key);
      return ms > 0 && ms;
    });
    expect(ttlMs).toBeLessThanOrEqual(keptForSeconds * 1_000);
  }
  const facts = await readQueueFacts(redis, { queue: 'execution-log', namespace, nowMs: Date.now() });
  expect(facts).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0, oldestWaitSeconds: null });
  expect((await queue.getMetrics('completed')).meta.count).toBe(1);
});

test('completed sample: a chunk with a record of somebody who is erased does not stay', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const { metric } = await startWorker(databaseUrl, namespace);
  const queue = openQueue(namespace);
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }, ['database']).database, 'test');
  onTestFinished(() => database.$disconnect());
  const recordedAt = new Date();
  await noteSubjectErasure(database, { kind: 'user', id: 'user-1' });
  startObserver(namespace).record(anExecution({ recordedAt }));
  await until(async () => (await metric('sluice_jobs_total', { outcome: 'completed' })) === 1);
  expect(await metric('sluice_records_total', { outcome: 'tombstoned' })).toBe(1);
  expect(await queue.getCompletedCount()).toBe(0);
});

test('completed sample: the ten newest stay, however many are completed', async () => {
  const { redis, queue, add, kept } = await aShard();
  const ids: string[] = [];
  for (let n = 0; n < keptJobs.count + 3; n += 1) ids.push(await add());
  expect(new Set(await kept())).toEqual(new Set(ids.slice(-keptJobs.count)));
  expect(await redis.exists(queue.toKey(ids[0] ?? ''))).toBe(0);
});

test('completed sample: large chunks go, and those with a name that may come again, whatever their producer wants', async () => {
  const { add, kept } = await aShard();
  await add({ size: keptJobs.maxBytes, keeps: true });
  await add({ id: 'mine', keeps: true });
  const small = await add({ size: keptJobs.maxBytes - 100 });
  expect(await kept()).toEqual([small]);
});

test('completed sample: nothing stays while more than half of Redis is in use', async () => {
  const { url } = await startFragileRedis();
  const { redis, queue, add, kept } = await aShard(url);
  await add();
  expect(await kept()).toHaveLength(1);
  const used = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1];
  await redis.config('SET', 'maxmemory', String(Math.floor(Number(used) * 1.5)));
  await add();
  expect(await kept()).toEqual([]);
  await redis.config('SET', 'maxmemory', '0');
  const id = await add();
  expect(await kept()).toEqual([id]);
  expect(await redis.pttl(queue.toKey(id))).toBeGreaterThan(0);
});

test('completed sample: what a worker left without an end gets one when the next one starts', async () => {
  const { redis, queue, sample, add } = await aShard();
  const id = await add();
  await redis.persist(queue.toKey(id));
  await redis.persist(queue.toKey('completed'));
  sample.start();
  await sample.close();
  expect(await redis.pttl(queue.toKey(id))).toBeGreaterThan(0);
  expect(await redis.pttl(queue.toKey('completed'))).toBeGreaterThan(0);
});
