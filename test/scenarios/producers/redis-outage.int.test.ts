import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createBullmqTransport } from '../../../producers/core/transport.ts';
import { createExecutionObserver, type ExecutionObserverOptions } from '../../../producers/index.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { recordsOf } from '../../support/records-of.ts';
import { targetOf } from '../../support/redis-target.ts';

function startObserver(redisUrl: string, options: ExecutionObserverOptions = {}) {
  const registry = new Registry();
  const observer = createExecutionObserver({
    redisUrl,
    registry,
    logger: { warn: () => undefined },
    ...options,
    producer: { sampleRate: 1, ...options.producer },
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  const failures = async (): Promise<number> => {
    const metric = await registry.getSingleMetric('sluice_producer_send_failures_total')?.get();
    return metric?.values[0]?.value ?? 0;
  };
  return { observer, failures };
}

/** The case names of all records in the queue, in any order. */
async function queuedNames(redisUrl: string): Promise<string[]> {
  const jobs = await openQueue('sluice', redisUrl).getJobs(['waiting']);
  return jobs.flatMap((job) => recordsOf<{ caseName: string }>(job).map(({ caseName }) => caseName)).sort();
}

function record(observer: ReturnType<typeof createExecutionObserver>, from: number, to: number): string[] {
  const names = Array.from({ length: to - from }, (_, index) => `case-${String(from + index).padStart(5, '0')}`);
  for (const caseName of names) observer.record(anExecution({ caseName }));
  return names;
}

test('observer: what is recorded while Redis is down arrives when it is back, each record once', async () => {
  const redis = await startFragileRedis();
  const { observer, failures } = startObserver(redis.url);
  const before = record(observer, 0, 300);
  await observer.drain();

  await redis.kill();
  const during = record(observer, 300, 2_000);
  await until(async () => (await failures()) >= 3);
  expect(observer.depth().records).toBe(during.length);
  await redis.startAgain();
  const after = record(observer, 2_000, 2_300);

  expect((await observer.drain()).unflushed).toBe(0);
  expect(await queuedNames(redis.url)).toEqual([...before, ...during, ...after]);
  expect(observer.stats()).toMatchObject({ recorded: 2_300, dropped: 0, sent: 2_300 });
});

test('observer: two of one name that start in the same millisecond, and one whose clock went back, lose no chunk', async () => {
  const redis = await startFragileRedis();
  const twin = () => startObserver(redis.url, { producer: { name: 'web-1' }, now: () => 1_700_000_000_000 }).observer;
  const one = twin();
  const other = twin();
  const names = [record(one, 0, 700), record(other, 700, 1_500)];
  await Promise.all([one.close(), other.close()]);
  const again = twin();
  names.push(record(again, 1_500, 2_000));
  await again.close();
  expect(await queuedNames(redis.url)).toEqual(names.flat());
  expect([one, other, again].map((observer) => observer.stats().sent)).toEqual([700, 800, 500]);
});

test('observer: a Redis that never was there fills the buffer to its bound, drops ok runs first, and close ends in time', async () => {
  const { observer, failures } = startObserver('redis://127.0.0.1:1', {
    producer: { buffer: { maxRecords: 1_500, maxBytes: 10_000_000 } },
  });
  record(observer, 0, 2_000);
  for (let run = 0; run < 400; run += 1) observer.record(anExecution({ status: 'error' }));
  await until(async () => (await failures()) >= 1);
  expect(observer.depth().records).toBe(1_500);
  expect(observer.stats()).toMatchObject({ recorded: 2_400, kept: 1_500, dropped: 900 });

  const result = await observer.close({ timeoutMs: 50 });
  expect(result).toEqual({ flushed: 0, unflushed: 1_500, spilled: 0 });
  expect(observer.stats()).toMatchObject({ kept: 0, dropped: 2_400, sent: 0 });
});

test('observer: a frozen Redis holds nobody up, and what was on its way arrives once', async () => {
  const redis = await startFragileRedis();
  const { observer } = startObserver(redis.url);
  const before = record(observer, 0, 10);
  await observer.drain();
  redis.freeze();
  const during = record(observer, 10, 500);
  const result = await observer.drain({ timeoutMs: 100 });
  expect(result.unflushed).toBe(during.length);
  redis.thaw();
  expect((await observer.drain()).unflushed).toBe(0);
  expect(await queuedNames(redis.url)).toEqual([...before, ...during]);
});

test('observer: closing on a frozen Redis ends in time and counts what it could not send', async () => {
  const redis = await startFragileRedis();
  const { observer } = startObserver(redis.url);
  record(observer, 0, 10);
  await observer.drain();
  redis.freeze();
  record(observer, 10, 30);
  expect(await observer.close({ timeoutMs: 100 })).toEqual({ flushed: 0, unflushed: 20, spilled: 0 });
  redis.thaw();
});

test('transport: a chunk that is sent again, since its reply was lost, is one job', async () => {
  const namespace = createNamespace();
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
  const transport = createBullmqTransport({ redis, queue: 'execution-log', namespace });
  const chunks = [1, 2, 3].map((seq) => ({
    id: `p.1.${seq}`,
    data: JSON.stringify({ v: 1, producer: 'p', epoch: 1, seq, records: [{}] }),
  }));
  await transport.send(chunks);
  await transport.send(chunks);
  const jobs = await openQueue(namespace).getJobs(['waiting']);
  expect(jobs.map((job) => job.id).sort()).toEqual(['p.1.1', 'p.1.2', 'p.1.3']);
  expect(jobs[0]?.data.records).toEqual([{}]);
  await transport.close();
});
