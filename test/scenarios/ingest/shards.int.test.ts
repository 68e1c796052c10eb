import type { Job, Queue } from 'bullmq';
import { expect, inject, test } from 'vitest';
import { jobName, type ShardName, shardNames } from '../../../shared/contracts/queues.ts';
import { executionLogQueue } from '../../../workers/execution-log/queue.ts';
import { createRecordRole } from '../../../workers/ingest/record-role.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { openQueue, until } from '../../support/fixtures.ts';
import { startRole } from '../../support/worker.ts';

const concurrency = 10;

/** A queue of several shards, to which jobs are added by hand. */
async function aShardedFleet() {
  const fleet = await anExecutionFleet();
  const shards = new Map<ShardName, Queue>();
  const open = (shard: ShardName): Queue => {
    const queue = shards.get(shard) ?? openQueue(fleet.namespace, inject('redisUrl'), shard);
    shards.set(shard, queue);
    return queue;
  };
  let seq = 0;
  const chunk = (records: readonly string[]): object => {
    seq += 1;
    return { v: 1, producer: 'test', epoch: 1, seq, records: records.map((text) => JSON.parse(text) as object) };
  };
  return {
    ...fleet,
    open,
    /** Adds a job for each number of a record. */
    addTo: (shard: ShardName, numbers: readonly number[]): Promise<Job[]> =>
      open(shard).addBulk(numbers.map((number) => ({ name: jobName, data: chunk([recordText(number)]) }))),
    /** Resolves when nothing is in any of the shards any more. */
    allEmpty: () =>
      until(async () => {
        const counts = await Promise.all(
          [...shards.values()].map((queue) => queue.getJobCounts('waiting', 'active', 'delayed')),
        );
        return counts.every((count) => Object.values(count).every((jobs) => jobs === 0));
      }),
  };
}

const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);

test('shards: a worker drains all shards of its queue, and those that come while it runs', async () => {
  const { namespace, databaseUrl, addTo, allEmpty, ids, start } = await aShardedFleet();
  const before = shardNames('execution-log', 4);
  for (const [index, shard] of before.entries()) await addTo(shard, numbers(1 + 20 * index, 20));
  const worker = await start();
  await allEmpty();
  expect(await ids()).toHaveLength(80);
  expect(await worker.metric('sluice_queue_shards', { state: 'working' })).toBe(4);

  await addTo('execution-log-7', numbers(81, 20));
  await allEmpty();
  expect(await ids()).toEqual(numbers(1, 100).map(idOf));
  expect(await worker.metric('sluice_queue_shards', { state: 'working' })).toBe(5);
  expect(await worker.metric('sluice_jobs_total', { outcome: 'completed' })).toBe(100);
  expect({ namespace, databaseUrl, notReady: worker.notReadyReason() }).toMatchObject({ notReady: null });
});

test('shards: the depth of a queue is that of its shards together', async () => {
  const { addTo, open, start } = await aShardedFleet();
  for (const shard of shardNames('execution-log', 3)) {
    await open(shard).pause();
    await addTo(shard, numbers(1, 5));
  }
  const worker = await start();
  await until(async () => (await worker.metric('sluice_queue_jobs', { state: 'waiting' })) === 15);
  expect(await worker.metric('sluice_queue_oldest_job_seconds', {})).toBeGreaterThan(0);
});

/** A worker whose statements wait until they are let go, and that counts the jobs that it has under way. */
async function aWorkerWithGate(fleet: Awaited<ReturnType<typeof aShardedFleet>>) {
  const storedOf: number[] = [];
  let gate = Promise.withResolvers<void>();
  let mostAtOnce = 0;
  let underWay = 0;
  const worker = await startRole(
    (deps) =>
      createRecordRole(
        {
          ...executionLogQueue,
          async store(door, json, records) {
            const found = [...json.matchAll(/0197c2f0-0000-7000-8000-([0-9a-f]{12})/g)].map(([, hex]) =>
              Number.parseInt(hex as string, 16),
            );
            if (found.length === 0) return executionLogQueue.store(door, json, records);
            underWay += found.length;
            mostAtOnce = Math.max(mostAtOnce, underWay);
            await gate.promise;
            const result = await executionLogQueue.store(door, json, records);
            underWay -= found.length;
            storedOf.push(...found);
            return result;
          },
        },
        deps,
      ),
    fleet.databaseUrl,
    fleet.namespace,
    {
      SLUICE_WORKER_CONCURRENCY: String(concurrency),
      SLUICE_BATCH_MAX_RECORDS: '1',
      SLUICE_BATCH_MAX_IN_FLIGHT: String(concurrency),
      SLUICE_DATABASE_POOL_SIZE: String(concurrency + 2),
    },
  );
  return {
    worker,
    /** the records in the order in which they were stored */
    stored: storedOf as readonly number[],
    get mostAtOnce(): number {
      return mostAtOnce;
    },
    get underWay(): number {
      return underWay;
    },
    open(): void {
      gate.resolve();
    },
    close(): void {
      gate = Promise.withResolvers();
    },
  };
}

test('shards: a deep backlog in one shard does not keep another one waiting, and all together keep to the concurrency', async () => {
  const fleet = await aShardedFleet();
  const gated = await aWorkerWithGate(fleet);
  // All slots are taken by the first shard, and it has much more.
  await fleet.addTo('execution-log', numbers(1, 500));
  await until(() => gated.underWay === concurrency);
  const few = numbers(1_001, 10);
  await fleet.addTo('execution-log-1', few);
  // Found, with nothing to be had yet.
  await until(async () => (await gated.worker.metric('sluice_queue_shards', { state: 'working' })) === 2);
  gated.open();
  await fleet.allEmpty();
  expect(gated.stored).toHaveLength(510);
  const lastOfFew = Math.max(...few.map((number) => gated.stored.indexOf(number)));
  // Half of the slots are theirs as soon as jobs end, so about twice their number and what was under way.
  expect(lastOfFew).toBeLessThan(150);
  expect(gated.mostAtOnce).toBe(concurrency);
});

test('shards: when too many records are dead, the worker takes no more of any shard', async () => {
  const { addTo, open, start, allEmpty } = await aShardedFleet();
  for (const shard of shardNames('execution-log', 3)) await addTo(shard, numbers(1, 2));
  const worker = await start({ SLUICE_DEAD_SHARE_MIN_RECORDS: '10', SLUICE_DEAD_SHARE_MAX: '0.5' });
  await allEmpty();
  await until(async () => (await worker.metric('sluice_queue_shards', { state: 'working' })) === 3);
  await open('execution-log-1').addBulk(
    numbers(1, 20).map((seq) => ({ name: jobName, data: { v: 1, producer: 'test', epoch: 1, seq, records: [{}] } })),
  );
  await until(() => worker.notReadyReason()?.startsWith('halted'));
  // Each of the workers may be waiting for its next job, and gives that one back.
  for (const shard of shardNames('execution-log', 3)) await addTo(shard, numbers(100, 5));
  const settled = await worker.metric('sluice_jobs_total', { outcome: 'completed' });
  await until(async () => {
    const counts = await Promise.all(shardNames('execution-log', 3).map((shard) => open(shard).getWaitingCount()));
    return counts.every((waiting) => waiting >= 4);
  });
  expect(await worker.metric('sluice_jobs_total', { outcome: 'completed' })).toBeLessThanOrEqual(settled + 3);
});

test('shards: a poison job is run in isolation and counted in its own shard, and costs no other record', async () => {
  const { addTo, allEmpty, ids, open, start } = await aShardedFleet();
  const [poison] = await addTo('execution-log-2', [1]);
  await addTo('execution-log-1', [2]);
  await addTo('execution-log', [3]);
  // As if workers had died with it three times, and twice while it was alone.
  const client = await open('execution-log-2').getBackend().client;
  await client.hset(open('execution-log-2').toKey(poison?.id ?? ''), { stc: '3', 'sluice:starts': '2' });
  await start({ SLUICE_POISON_JOB_MAX_STARTS: '2' });
  await allEmpty();
  await until(async () => (await open('execution-log-2').getFailedCount()) === 1);
  expect(await ids()).toEqual([idOf(2), idOf(3)]);
});
