import { isDeepStrictEqual } from 'node:util';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { watchMemoryOf } from '../../../producers/core/memory-watch.ts';
import {
  createCompletedRequestSender,
  createExecutionObserver,
  type ExecutionObserverOptions,
} from '../../../producers/index.ts';
import { createRedis, type Redis } from '../../../shared/platform/redis/redis.ts';
import { parseMemoryInfo } from '../../../shared/platform/redis/redis-memory.ts';
import { anExecution, failure } from '../../support/execution.ts';
import { createDirectory, openQueue, until } from '../../support/fixtures.ts';
import { aClockOfANewMinute } from '../../support/new-minute.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { recordsOf } from '../../support/records-of.ts';
import { targetOf } from '../../support/redis-target.ts';
import { aRequest } from '../../support/request.ts';

async function setUp() {
  const { url } = await startFragileRedis();
  const admin = await connected(url);
  // So much that connections, which come and go, make no difference.
  for (let key = 0; key < 30; key += 1) await admin.set(`ballast:${key}`, 'x'.repeat(1_000_000));
  /** @param share of the bound that is in use from now on; null: there is no bound */
  const use = async (share: number | null): Promise<void> => {
    const used = parseMemoryInfo(await admin.info('memory'))?.usedBytes ?? 0;
    await admin.config('SET', 'maxmemory', share === null ? '0' : String(Math.round(used / share)));
  };
  return { url, admin, use, queue: openQueue('sluice', url) };
}

async function connected(url: string): Promise<Redis> {
  const redis = createRedis(targetOf(url), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  return redis;
}

function startObserver(redisUrl: string, producer: ExecutionObserverOptions['producer'] = {}) {
  const logged: string[] = [];
  const messages: string[] = [];
  const observer = createExecutionObserver({
    redisUrl,
    registry: new Registry(),
    logger: {
      warn(fields, message) {
        logged.push(String((fields as { err?: Error }).err?.message));
        messages.push(message);
      },
    },
    producer: { sampleRate: 1, ...producer },
    now: aClockOfANewMinute(),
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  return { observer, logged, messages };
}

function startSender(redisUrl: string, producer: ExecutionObserverOptions['producer'] = {}) {
  const registry = new Registry();
  const sender = createCompletedRequestSender({ redisUrl, registry, logger: { warn: () => undefined }, producer });
  onTestFinished(async () => void (await sender.close({ timeoutMs: 0 })));
  return sender;
}

test('memory share: above it nothing is added, and when there is room again everything is, once', async () => {
  const { url, use, queue } = await setUp();
  await use(0.9);
  const { observer, logged } = startObserver(url);
  for (let index = 0; index < 10; index += 1) observer.record(anExecution());
  await until(() => logged.length > 0);
  expect(await observer.drain({ timeoutMs: 500 })).toMatchObject({ flushed: 0, unflushed: 10 });
  expect(await queue.getWaitingCount()).toBe(0);
  expect(logged.join()).toMatch(
    /Redis uses \d\d % of its memory, and producers add nothing above 80 % \(SLUICE_REDIS_MEMORY_SHARE\)/,
  );

  await use(0.5);
  expect(await observer.drain()).toMatchObject({ flushed: 10, unflushed: 0 });
  expect((await queue.getJobs(['waiting'])).flatMap((job) => recordsOf(job))).toHaveLength(10);
});

test('memory share: it is noticed while records flow, before Redis itself refuses', async () => {
  const { url, admin, use } = await setUp();
  await use(0.5);
  const { observer } = startObserver(url);
  observer.record(anExecution());
  await observer.drain();
  await use(0.9);
  await until(async () => {
    observer.record(anExecution());
    await observer.drain({ timeoutMs: 50 });
    return observer.depth().records > 0;
  });
  expect(await admin.set('filler', 'x')).toBe('OK');
});

test('memory share: above it, chunks go to the disk where there is a spill, and come back from there', async () => {
  const { url, use, queue } = await setUp();
  await use(0.9);
  const { observer } = startObserver(url, {
    spill: { dir: await createDirectory(), maxBytes: 10_000_000, fsyncMs: 0 },
  });
  for (let index = 0; index < 300; index += 1) observer.record(anExecution());
  await until(() => observer.stats().spilled === 300);
  await use(null);
  await observer.drain();
  expect(observer.stats()).toMatchObject({ sent: 300, spilled: 0, dropped: 0 });
  expect((await queue.getJobs(['waiting'])).flatMap((job) => recordsOf(job))).toHaveLength(300);
});

test('memory share: of 1, and where INFO is forbidden, only what Redis itself refuses is put off', async () => {
  const { url, admin, use } = await setUp();
  await use(0.9);
  const careless = startObserver(url, { memoryShare: 1 }).observer;
  careless.record(anExecution());
  expect(await careless.drain()).toMatchObject({ flushed: 1 });

  await admin.acl('SETUSER', 'somebody', 'on', '>secret', '~*', '+@all', '-@dangerous');
  const ofSomebody = new URL(url);
  ofSomebody.username = 'somebody';
  ofSomebody.password = 'secret';
  const blind = startObserver(ofSomebody.href).observer;
  blind.record(anExecution());
  expect(await blind.drain()).toMatchObject({ flushed: 1 });
  await admin.config('SET', 'maxmemory', '1mb');
  blind.record(anExecution());
  expect(await blind.drain({ timeoutMs: 300 })).toMatchObject({ flushed: 0, unflushed: 1 });
});

test('memory share: all who add to a server from one process share one look at it', async () => {
  const { url } = await setUp();
  const [one, other] = [await connected(url), await connected(url)];
  const watch = watchMemoryOf(one, 'key', 0.8);
  await watch.join(one);
  expect(watchMemoryOf(other, 'key', 0.8)).toBe(watch);
  await watch.join(other);
  one.disconnect();
  await new Promise((ended) => one.once('end', ended));
  expect(watchMemoryOf(other, 'key', 0.8)).toBe(watch);
  other.disconnect();
  await new Promise((ended) => other.once('end', ended));
  expect(watchMemoryOf(other, 'key', 0.8)).not.toBe(watch);
});

/** What Redis has got of ten ok runs, five failures and five requests at a share of its memory. */
test.each([
  [0.65, { ok: 10, failures: 5, requests: 5 }],
  [0.75, { ok: 0, failures: 5, requests: 5 }],
  [0.85, { ok: 0, failures: 0, requests: 0 }],
])('memory steps: at %s of maxmemory a producer that starts adds %o', async (share, added) => {
  const { url, use, queue } = await setUp();
  await use(share);
  const { observer, logged } = startObserver(url);
  const sender = startSender(url);
  for (let index = 0; index < 10; index += 1) observer.record(anExecution());
  for (let index = 0; index < 5; index += 1) observer.record(failure());
  for (let index = 0; index < 5; index += 1) await sender.send(aRequest());
  const sent = () => ({ executions: observer.stats().sent, requests: sender.stats().sent });
  const expected = { executions: added.ok + added.failures, requests: added.requests };
  await until(() => isDeepStrictEqual(sent(), expected) && (added.ok > 0 || logged.length > 0));
  const [executions, requests] = await Promise.all([
    observer.drain({ timeoutMs: 500 }),
    sender.flush({ timeoutMs: 500 }),
  ]);
  expect(sent()).toEqual(expected);
  expect(executions.unflushed).toBe(15 - expected.executions);
  expect(requests.unflushed).toBe(5 - expected.requests);
  const jobs = await queue.getJobs(['waiting']);
  const statuses = jobs.flatMap((job) => recordsOf<{ status: string }>(job)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 'ok')).toHaveLength(added.ok);
  expect(statuses.filter((status) => status === 'error')).toHaveLength(added.failures);
  if (added.ok === 0) expect(logged.join()).toMatch(/Redis uses \d\d % of its memory/);

  await use(0.5);
  await Promise.all([observer.drain(), sender.flush()]);
  expect(observer.stats()).toMatchObject({ sent: 15, dropped: 0 });
  expect(sender.stats()).toMatchObject({ sent: 5, dropped: 0 });
});

test('memory steps: ok runs stop at the step while records flow, and failures do not', async () => {
  const { url, use } = await setUp();
  await use(0.5);
  const { observer, messages } = startObserver(url);
  observer.record(anExecution());
  await observer.drain();
  await use(0.75);
  await until(async () => {
    observer.record(anExecution());
    await observer.drain({ timeoutMs: 50 });
    return observer.depth().records > 0;
  });
  const { sent } = observer.stats();
  observer.record(failure());
  await until(() => observer.stats().sent === sent + 1);
  await observer.close({ timeoutMs: 0 });
  expect(messages.map((message) => message.split(':')[0])).toEqual([
    'Redis uses more than 7/8 of what producers may fill',
    'execution records dropped',
  ]);
});

test('memory steps: between step and share a disk keeps ok runs, and failures go to Redis again after it was full', async () => {
  const { url, use } = await setUp();
  await use(0.85);
  const spill = { dir: await createDirectory(), maxBytes: 10_000_000, fsyncMs: 0 };
  const { observer } = startObserver(url, { spill });
  const sender = startSender(url, { spill });
  for (let index = 0; index < 300; index += 1) observer.record(anExecution());
  for (let index = 0; index < 20; index += 1) observer.record(failure());
  for (let index = 0; index < 20; index += 1) await sender.send(aRequest());
  await until(() => observer.stats().spilled === 320 && sender.stats().spilled === 20);

  await use(0.75);
  await until(() => sender.stats().sent === 20);
  await until(async () => {
    observer.record(failure());
    await observer.drain({ timeoutMs: 50 });
    return observer.stats().sent > 0;
  });
  expect(observer.stats().spilled).toBeGreaterThanOrEqual(320);

  await use(0.5);
  await observer.drain();
  expect(observer.stats()).toMatchObject({ spilled: 0, dropped: 0 });
});
