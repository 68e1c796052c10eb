import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { jobName, maintenanceQueue, queuePrefix } from '../../../shared/contracts/queues.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { partitionRows } from '../../support/rows.ts';
import { clockAhead } from '../../support/shifted-clock.ts';
import { calmLocks, startWorkerProcess } from '../../support/worker-process.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

async function setUp(aheadMs: number, environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const { url: redisUrl } = await startFragileRedis();
  const namespace = createNamespace();
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  const worker = await startWorkerProcess(
    { databaseUrl, redisUrl, namespace },
    { ...calmLocks, ...clockAhead(aheadMs), ...environment },
  );
  return { worker, redis, queue: openQueue(namespace, redisUrl), client: await connect(databaseUrl) };
}

function aChunk(version = 1) {
  const context = { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 };
  const record = JSON.parse(toExecutionRecord(anExecution(), context).json);
  return { v: version, producer: 'test', epoch: 1, seq: 1, records: [record] };
}

const skews = [
  ['an hour ahead', hourMs],
  ['an hour behind', -hourMs],
] as const;

test.each(skews)('clock skew: a worker %s delays a chunk for as long as every other', async (_name, aheadMs) => {
  const { queue, redis, worker } = await setUp(aheadMs, { SLUICE_JOB_DELAY_MS: '30000' });
  const addedAtMs = Date.now();
  await queue.add(jobName, aChunk(99));
  await until(async () => (await queue.getDelayedCount()) === 1);
  const seenAtMs = Date.now();
  const delayed = await redis.zrange(queue.toKey('delayed'), '0', '0', 'WITHSCORES');
  // BullMQ has the time in ms and a number below 4,096 in one score.
  const dueAtMs = Math.floor(Number(delayed[1]) / 4_096);
  expect(dueAtMs).toBeGreaterThan(addedAtMs + 30_000 - 100);
  expect(dueAtMs).toBeLessThan(seenAtMs + 30_000 + 100);
  expect(await worker.metric('sluice_jobs_total', { outcome: 'newer_contract' })).toBe(1);
});

test.each(skews)(
  'clock skew: a worker %s takes a job that was delayed when it is due, and asks no more often meanwhile',
  async (_name, aheadMs) => {
    const { client, queue, redis } = await setUp(aheadMs);
    await redis.config('RESETSTAT');
    const delayMs = 4_000;
    const addedAtMs = Date.now();
    await queue.add(jobName, aChunk(), { delay: delayMs });
    const storedAt = await until(async () => {
      const { rows } = await client.query<{ stored_at: Date }>('select stored_at from strategy_execution_log');
      return rows[0]?.stored_at;
    });
    const afterMs = storedAt.getTime() - addedAtMs;
    expect(afterMs).toBeGreaterThan(delayMs - 100);
    // A worker that waits for the wrong moment would wait for as long as BullMQ waits at most, ten seconds, or for an hour.
    expect(afterMs).toBeLessThan(delayMs + 5_000);
    const blocked = /cmdstat_bzpopmin:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    expect(Number(blocked ?? 0)).toBeLessThan(50);
  },
);

test('clock skew: a worker that is two days ahead makes the partitions of the days of the database', async () => {
  const { client } = await setUp(2 * dayMs, { SLUICE_PARTITION_DAYS_AHEAD: '1' });
  const names = Object.keys(await partitionRows(client)).filter((name) => !name.endsWith('default'));
  const { rows } = await client.query<{ name: string }>(
    `select 'strategy_execution_log_' || to_char((now() at time zone 'UTC')::date + day, 'YYYYMMDD') as name from generate_series(-1, 1) as day`,
  );
  expect(names).toEqual(rows.map(({ name }) => name));
});

test.each(skews)(
  'clock skew: a worker %s tells how long jobs have waited by the clock of Redis',
  async (_name, aheadMs) => {
    const { queue, worker } = await setUp(aheadMs);
    await queue.add(jobName, aChunk());
    await until(async () => (await worker.metric('sluice_job_wait_seconds_count')) === 1);
    expect(await worker.metric('sluice_job_wait_seconds_sum')).toBeLessThan(60);
    await queue.pause();
    await queue.add(jobName, aChunk());
    const waited = await worker.metric('sluice_queue_oldest_job_seconds');
    expect(waited).toBeGreaterThanOrEqual(0);
    expect(waited).toBeLessThan(60);
  },
);

test.each(skews)(
  'clock skew: a maintenance worker %s leaves its next turns where others find them',
  async (_name, aheadMs) => {
    const { url: redisUrl } = await startFragileRedis();
    const namespace = createNamespace();
    const redis = new Redis(redisUrl);
    onTestFinished(() => redis.disconnect());
    await startSluice(['worker', 'maintenance'], {
      DATABASE_URL: await createTestDatabase(),
      REDIS_URL: redisUrl,
      SLUICE_NAMESPACE: namespace,
      SLUICE_WORKER_PORT: '0',
      ...clockAhead(aheadMs),
    });
    const key = `${queuePrefix(maintenanceQueue, namespace)}:${maintenanceQueue}`;
    const turns = await until(async () => {
      const delayed = await redis.zrange(`${key}:delayed`, '0', '-1', 'WITHSCORES');
      return delayed.length === 6 ? delayed.filter((_, place) => place % 2 === 1) : null;
    });
    const inMs = turns.map((score) => Math.floor(Number(score) / 4_096) - Date.now());
    for (const ms of inMs) {
      expect(ms).toBeGreaterThan(0.9 * hourMs);
      expect(ms).toBeLessThan(1.1 * hourMs);
    }
    const found = await until(async () => {
      const hash = await redis.hgetall(`${key}:sluice:findings`);
      return hash['lastSuccess:purge'];
    });
    expect(Math.abs(Number(found) - Date.now() / 1_000)).toBeLessThan(120);
  },
);
