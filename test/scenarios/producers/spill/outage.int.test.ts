import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createExecutionObserver, type ExecutionObserver } from '../../../../producers/index.ts';
import { anExecution } from '../../../support/execution.ts';
import { createDirectory, openQueue, until } from '../../../support/fixtures.ts';
import { metricValue } from '../../../support/metric-value.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';
import { recordsOf } from '../../../support/records-of.ts';

interface Choices {
  redisUrl: string;
  dir: string;
  maxBytes?: number;
  bufferRecords?: number;
}

function startObserver({ redisUrl, dir, maxBytes = 1_000_000_000, bufferRecords = 500 }: Choices) {
  const registry = new Registry();
  const lines: string[] = [];
  const observer = createExecutionObserver({
    redisUrl,
    registry,
    logger: { warn: (_fields, message) => lines.push(message) },
    producer: {
      sampleRate: 1,
      buffer: { maxRecords: bufferRecords, maxBytes: 100_000_000 },
      chunk: { maxRecords: 50, maxBytes: 262_144, maxWaitMs: 5 },
      spill: { dir, maxBytes, fsyncMs: 500 },
    },
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  return { observer, lines, value: (name: string, labels = {}) => metricValue(registry, name, labels) };
}

/** Records as fast as the buffer takes it, and gives the case names. */
async function record(observer: ExecutionObserver, label: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${label}-${String(index).padStart(5, '0')}`);
  for (const caseName of names) {
    while (observer.depth().records >= 400) await nextTurn();
    observer.record(anExecution({ caseName }));
  }
  return names;
}

/** The case names of all records in the queue, in any order, those that are there twice included. */
async function queuedNames(redisUrl: string): Promise<string[]> {
  const jobs = await openQueue('sluice', redisUrl).getJobs(['waiting']);
  return jobs.flatMap((job) => recordsOf<{ caseName: string }>(job).map(({ caseName }) => caseName)).sort();
}

/** Waits until a kill of Redis loses nothing: while a sync is under way, it puts off writing what it has acknowledged. */
async function untilWritten(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  redis.on('error', () => undefined);
  await until(async () => /aof_buffer_length:0\r/.test(await redis.info('persistence')));
}

async function segmentsIn(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.seg'));
}

/** Everything below the directory of the queue. */
async function contentOf(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true })).filter((name) => name !== 'sluice.execution-log');
}

test('spill: while Redis answers, nothing touches the disk', async () => {
  const redis = await startFragileRedis();
  const dir = await createDirectory();
  const { observer, value } = startObserver({ redisUrl: redis.url, dir });
  await record(observer, 'a', 2_000);
  await observer.drain();
  expect(observer.stats()).toMatchObject({ sent: 2_000, spilled: 0, dropped: 0 });
  expect(await value('sluice_spill_records_total', { queue: 'execution-log', event: 'written' })).toBe(0);
  expect(await contentOf(dir)).toEqual([]);
});

test('spill: an outage of twenty buffers drops nothing, and each record arrives once', async () => {
  const redis = await startFragileRedis();
  const dir = await createDirectory();
  const { observer, value } = startObserver({ redisUrl: redis.url, dir });
  const before = await record(observer, 'a', 300);
  await observer.drain();
  await untilWritten(redis.url);

  await redis.kill();
  const during = await record(observer, 'b', 10_000);
  await until(() => observer.stats().spilled === 10_000);
  expect(observer.depth()).toEqual({ records: 0, bytes: 0 });
  expect((await segmentsIn(dir)).length).toBeGreaterThan(0);
  expect(await value('sluice_spill_records', { queue: 'execution-log' })).toBe(10_000);
  await redis.startAgain();
  const after = await record(observer, 'c', 300);

  expect(await observer.drain()).toMatchObject({ unflushed: 0, spilled: 0 });
  expect(await queuedNames(redis.url)).toEqual([...before, ...during, ...after]);
  expect(observer.stats()).toMatchObject({ recorded: 10_600, kept: 10_600, dropped: 0, sent: 10_600, recovered: 0 });
  const written = await value('sluice_spill_records_total', { queue: 'execution-log', event: 'written' });
  expect(written).toBeGreaterThanOrEqual(10_000);
  expect(await value('sluice_spill_records_total', { queue: 'execution-log', event: 'replayed' })).toBe(written);
  expect(await value('sluice_spill_bytes', { queue: 'execution-log' })).toBe(0);
  expect(await contentOf(dir)).toEqual([]);
});

test('spill: a frozen Redis counts as away, and when it goes on each record is there once', async () => {
  const redis = await startFragileRedis();
  const dir = await createDirectory();
  const { observer } = startObserver({ redisUrl: redis.url, dir });
  const before = await record(observer, 'a', 100);
  await observer.drain();
  redis.freeze();
  const during = await record(observer, 'b', 2_000);
  await until(() => observer.stats().spilled === 2_000);
  redis.thaw();
  await observer.drain();
  expect(await queuedNames(redis.url)).toEqual([...before, ...during]);
  expect(observer.stats()).toMatchObject({ dropped: 0, sent: 2_100 });
  expect(await contentOf(dir)).toEqual([]);
});

test('spill: what close could not send is on disk, and the next observer sends it', async () => {
  const redis = await startFragileRedis();
  const dir = await createDirectory();
  const first = startObserver({ redisUrl: redis.url, dir });
  await record(first.observer, 'a', 10);
  await first.observer.drain();
  await untilWritten(redis.url);
  await redis.kill();
  const left = await record(first.observer, 'b', 333);
  expect(await first.observer.close({ timeoutMs: 0 })).toEqual({ flushed: 0, unflushed: 0, spilled: 333 });
  expect(first.observer.stats()).toMatchObject({ recorded: 343, kept: 343, dropped: 0, sent: 10, spilled: 333 });

  await redis.startAgain();
  const second = startObserver({ redisUrl: redis.url, dir });
  await until(() => second.observer.stats().recovered === 333);
  await second.observer.drain();
  expect((await queuedNames(redis.url)).slice(10)).toEqual(left);
  expect(second.observer.stats()).toMatchObject({ recorded: 0, kept: 0, sent: 0, recovered: 333 });
  expect(await second.value('sluice_spill_records_total', { queue: 'execution-log', event: 'recovered' })).toBe(333);
  expect(await contentOf(dir)).toEqual([]);
});

test('spill: at its bound, records wait in memory and are dropped when that is full, all counted', async () => {
  const dir = await createDirectory();
  const { observer, lines, value } = startObserver({ redisUrl: 'redis://127.0.0.1:1', dir, maxBytes: 200_000 });
  const isFull = async (): Promise<boolean> =>
    (await value('sluice_spill_refusals_total', { queue: 'execution-log', reason: 'full' })) > 0;
  let recorded = 0;
  while (!(await isFull())) {
    await nextTurn();
    if (observer.depth().records >= 400) continue;
    observer.record(anExecution());
    recorded += 1;
  }
  for (let extra = 0; extra < 1_000; extra += 1) observer.record(anExecution());
  recorded += 1_000;
  const { kept, dropped, spilled } = observer.stats();
  expect(dropped).toBeGreaterThanOrEqual(500);
  expect(recorded).toBe(kept + dropped);
  expect(kept).toBe(spilled + observer.depth().records);
  expect(spilled).toBeGreaterThan(0);
  expect(await value('sluice_spill_bytes', { queue: 'execution-log' })).toBeLessThanOrEqual(200_000);
  expect(await value('sluice_spill_records', { queue: 'execution-log' })).toBe(observer.stats().spilled);
  expect(lines).toContain('the spill directory has reached its size limit; chunks wait in memory');

  const closed = await observer.close({ timeoutMs: 0 });
  expect(closed.spilled).toBeGreaterThanOrEqual(spilled);
  expect(observer.stats()).toMatchObject({
    recorded,
    kept: closed.spilled,
    dropped: recorded - closed.spilled,
    sent: 0,
  });
});
