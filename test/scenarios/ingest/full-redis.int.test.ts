import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../producers/index.ts';
import { createRedis, type Redis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { aClockOfANewMinute } from '../../support/new-minute.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { portOf, startProxyTo } from '../../support/proxies.ts';
import { targetOf } from '../../support/redis-target.ts';
import { startWorker } from '../../support/worker.ts';

/** Jobs are taken up again soon when nobody keeps them. */
const shortLocks = { SLUICE_LOCK_DURATION_MS: '3000', SLUICE_STALLED_INTERVAL_MS: '500' };
const records = 500;

/** A Redis with a bound, a PostgreSQL that can be away, and accepted records in small chunks. */
async function setUp() {
  const { url: redisUrl } = await startFragileRedis();
  const namespace = createNamespace();
  const databaseUrl = await createTestDatabase();
  const { proxy, url } = await startProxyTo(databaseUrl);
  const client = await connect(databaseUrl);
  const admin = createRedis(targetOf(redisUrl), { role: 'producer', name: 'test', logger: null });
  await admin.connect();
  await admin.config('SET', 'maxmemory', '24mb');
  const observer = createExecutionObserver({
    redisUrl,
    namespace,
    producer: { sampleRate: 1, chunk: { maxRecords: 5, maxBytes: 65_536, maxWaitMs: 1 } },
    registry: new Registry(),
    logger: { warn: () => undefined },
    now: aClockOfANewMinute(),
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
    admin.disconnect();
  });
  return {
    redisUrl,
    admin,
    observer,
    queue: openQueue(namespace, redisUrl),
    startWorker: () => startWorker(url, namespace, { REDIS_URL: redisUrl, ...shortLocks }),
    database: {
      goAway: () => {
        proxy.forwardTo(1);
        proxy.cut();
      },
      comeBack: () => proxy.forwardTo(portOf(databaseUrl)),
    },
    stored: async () => Number((await client.query('select count(*) from strategy_execution_log')).rows[0].count),
    deadLetters: async () => Number((await client.query('select count(*) from dead_letter')).rows[0].count),
  };
}

/** Takes all the memory that is left and more, as somebody else's data would: buffers that come and go make no room. */
async function fill(redis: Redis): Promise<void> {
  for (let key = 0; ; key += 1) {
    const answer = await redis.set(`filler:${key}`, 'x'.repeat(100_000)).catch((error: Error) => error);
    if (answer instanceof Error) break;
  }
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  await redis.config('SET', 'maxmemory', String(used - 2_000_000));
}

/** A worker goes on keeping the jobs that it holds. */
async function untilALockIsRenewed(redis: Redis): Promise<void> {
  const leftMs = new Map<string, number>();
  await until(async () => {
    let isRenewed = false;
    for (const lock of await redis.keys('*:lock')) {
      const nowLeftMs = await redis.pttl(lock);
      isRenewed ||= nowLeftMs > (leftMs.get(lock) ?? nowLeftMs);
      leftMs.set(lock, nowLeftMs);
    }
    return isRenewed;
  });
}

async function isFull(redis: Redis): Promise<boolean> {
  return redis.set('filler:last', 'x').then(
    () => false,
    (error: Error) => error.message.startsWith('OOM'),
  );
}

test('full Redis: what was accepted is stored when PostgreSQL is back, though Redis was filled to the last byte meanwhile', async () => {
  const { admin, observer, queue, startWorker: start, database, stored, deadLetters } = await setUp();
  await start();
  database.goAway();
  for (let index = 0; index < records; index += 1) observer.record(anExecution());
  await observer.drain();
  expect(observer.stats()).toMatchObject({ sent: records, dropped: 0 });
  await until(async () => (await queue.getActiveCount()) > 0);
  await fill(admin);
  await untilALockIsRenewed(admin);
  expect(await isFull(admin)).toBe(true);

  database.comeBack();
  await until(async () => (await stored()) === records);
  await until(async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'failed')) === 0);
  expect(await stored()).toBe(records);
  expect(await deadLetters()).toBe(0);
});

test('full Redis: workers that are started while it is full take up what others held, and end it', async () => {
  const { admin, observer, queue, startWorker: start, database, stored } = await setUp();
  const first = await start();
  database.goAway();
  for (let index = 0; index < records; index += 1) observer.record(anExecution());
  await observer.drain();
  await until(async () => (await queue.getActiveCount()) > 0);
  await fill(admin);
  await first.stop(0);
  expect(await isFull(admin)).toBe(true);

  const second = start();
  database.comeBack();
  await second;
  await until(async () => (await stored()) === records);
  await until(async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'failed')) === 0);
});

test('full Redis: nothing is added to it', async () => {
  const { admin, observer, queue } = await setUp();
  await fill(admin);
  observer.record(anExecution());
  expect(await observer.drain({ timeoutMs: 300 })).toMatchObject({ flushed: 0, unflushed: 1 });
  expect(await queue.getWaitingCount()).toBe(0);
});
