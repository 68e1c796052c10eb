import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { failure, anExecution as ok } from '../../support/execution.ts';
import { until } from '../../support/fixtures.ts';
import { anObserver, labels } from '../../support/observer.ts';
import { aTransport, failingTransport, frozenTransport, silentTransport } from '../../support/transports.ts';

test('sending: a full chunk goes out by itself', async () => {
  const arrived = Promise.withResolvers<void>();
  const transport = aTransport(async () => arrived.resolve());
  const { observer } = anObserver({ transport, chunkRecords: 2 });
  observer.record(ok());
  observer.record(ok());
  await arrived.promise;
  expect(transport.attempts).toHaveLength(1);
});

test('sending: failures go out before ok runs', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  observer.record(ok());
  observer.record(failure());
  await observer.drain();
  expect(transport.records.map(({ status }) => status)).toEqual(['error', 'ok']);
});

test('sending: a chunk is repeated, with the same ids and data, until it is there', async () => {
  const transport = failingTransport(3);
  const { observer, value, lines } = anObserver({ transport, chunkRecords: 2 });
  for (let n = 0; n < 5; n += 1) observer.record(ok({ caseName: `c${n}` }));
  expect(await observer.drain()).toEqual({ flushed: 5, unflushed: 0, spilled: 0 });
  expect(transport.attempts).toHaveLength(4);
  expect(transport.attempts[0]?.map(({ id }) => id)).toEqual(['test.1.a.1', 'test.1.a.2', 'test.1.a.3']);
  for (const attempt of transport.attempts) expect(attempt).toEqual(transport.attempts[0]);
  expect(transport.records.map(({ caseName }) => caseName)).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
  expect(observer.stats()).toMatchObject({ sent: 5, kept: 5, dropped: 0 });
  expect(await value('sluice_producer_send_failures_total')).toBe(3);
  expect(await value('sluice_producer_records_total', { outcome: 'sent' })).toBe(5);
  expect(lines).toMatchObject([{ message: 'chunks could not be added to the queue; retrying' }]);
});

test('sending: while nothing gets through, records keep their room, and new ones are dropped', async () => {
  const transport = silentTransport();
  const { observer } = anObserver({ transport, chunkRecords: 1, bufferRecords: 15 });
  for (let n = 0; n < 15; n += 1) observer.record(ok());
  expect(await observer.drain({ timeoutMs: 1 })).toEqual({ flushed: 0, unflushed: 15, spilled: 0 });
  // Two sends of five chunks each are under way: those are not evicted any more, the other five are.
  for (let n = 0; n < 7; n += 1) observer.record(failure());
  expect(observer.stats()).toMatchObject({ recorded: 22, dropped: 7, kept: 15 });
  transport.goOn();
  expect(await observer.drain()).toEqual({ flushed: 15, unflushed: 0, spilled: 0 });
  expect(transport.records.filter(({ status }) => status === 'error')).toHaveLength(5);
});

test('drain: it ends in time although nothing answers, and what is left stays', async () => {
  const transport = silentTransport();
  const { observer } = anObserver({ transport });
  observer.record(ok());
  observer.record(ok());
  expect(await observer.drain({ timeoutMs: 1 })).toEqual({ flushed: 0, unflushed: 2, spilled: 0 });
  expect(observer.stats()).toMatchObject({ kept: 2, dropped: 0, sent: 0 });
  transport.goOn();
  expect(await observer.drain()).toEqual({ flushed: 2, unflushed: 0, spilled: 0 });
  expect(transport.attempts).toHaveLength(1);
});

test('drain: it ends in time although everything is refused', async () => {
  const { observer } = anObserver({ transport: failingTransport(Number.POSITIVE_INFINITY) });
  observer.record(ok());
  expect(await observer.drain({ timeoutMs: 1 })).toEqual({ flushed: 0, unflushed: 1, spilled: 0 });
});

test('drain: of nothing, it ends at once, any number of times', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  for (let n = 0; n < 3; n += 1) expect(await observer.drain()).toEqual({ flushed: 0, unflushed: 0, spilled: 0 });
  expect(transport.attempts).toEqual([]);
});

test('drain: `flush` is the same', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  observer.record(ok());
  expect(await observer.flush()).toEqual({ flushed: 1, unflushed: 0, spilled: 0 });
  expect(transport.records).toHaveLength(1);
});

test('drain: two at once share the work', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  for (let n = 0; n < 3; n += 1) observer.record(ok());
  const results = await Promise.all([observer.drain(), observer.drain()]);
  expect(results).toEqual([
    { flushed: 3, unflushed: 0, spilled: 0 },
    { flushed: 3, unflushed: 0, spilled: 0 },
  ]);
  expect(transport.records).toHaveLength(3);
  expect(transport.attempts).toHaveLength(1);
});

test('drain: it sends more than fits into the sends under way', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, chunkRecords: 1 });
  for (let n = 0; n < 37; n += 1) observer.record(ok());
  expect(await observer.drain()).toEqual({ flushed: 37, unflushed: 0, spilled: 0 });
  expect(transport.attempts.every((chunks) => chunks.length <= 5)).toBe(true);
});

test('close: it flushes, and a second one has the same result', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  observer.record(ok());
  observer.record(failure());
  expect(await Promise.all([observer.close(), observer.close()])).toEqual([
    { flushed: 2, unflushed: 0, spilled: 0 },
    { flushed: 2, unflushed: 0, spilled: 0 },
  ]);
  expect(await observer.close()).toEqual({ flushed: 2, unflushed: 0, spilled: 0 });
  expect(transport.records).toHaveLength(2);
  expect(transport.closings).toBe(1);
});

test('close: later records are not stored, and are counted as dropped', async () => {
  const transport = aTransport();
  const { observer, value } = anObserver({ transport });
  const closing = observer.close();
  observer.record(ok());
  await closing;
  observer.record(failure());
  expect(await observer.drain()).toEqual({ flushed: 0, unflushed: 0, spilled: 0 });
  expect(transport.attempts).toEqual([]);
  expect(observer.stats()).toEqual({
    recorded: 2,
    sampledOut: 0,
    disabled: 0,
    dropped: 2,
    kept: 0,
    sent: 0,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  });
  expect(await value('dsl_execution_log_dropped_total', labels)).toBe(2);
});

test.each([
  ['nothing answers', silentTransport],
  ['nothing answers, not even when the connection is cut', frozenTransport],
  ['everything is refused', () => failingTransport(Number.POSITIVE_INFINITY)],
])('close: it ends in time although %s, and what is unsent is counted as dropped', async (_kind, create) => {
  const transport = create();
  const { observer, value } = anObserver({ transport, chunkRecords: 1 });
  // More than two sends of five chunks, so that some are under way and some wait.
  for (let n = 0; n < 13; n += 1) observer.record(ok());
  expect(await observer.close({ timeoutMs: 1 })).toEqual({ flushed: 0, unflushed: 13, spilled: 0 });
  expect(observer.stats()).toEqual({
    recorded: 13,
    sampledOut: 0,
    disabled: 0,
    dropped: 13,
    kept: 0,
    sent: 0,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  });
  expect(observer.depth()).toEqual({ records: 0, bytes: 0 });
  expect(await value('dsl_execution_log_dropped_total', labels)).toBe(13);
  expect(transport.records).toEqual([]);
});

test('close: an answer that comes too late changes nothing any more', async () => {
  const transport = frozenTransport();
  const { observer, value } = anObserver({ transport });
  observer.record(ok());
  expect(await observer.close({ timeoutMs: 1 })).toEqual({ flushed: 0, unflushed: 1, spilled: 0 });
  const before = observer.stats();
  transport.goOn();
  await setImmediate();
  expect(transport.records).toHaveLength(1);
  expect(observer.stats()).toEqual(before);
  expect(observer.depth()).toEqual({ records: 0, bytes: 0 });
  expect(await value('sluice_producer_records_total', { outcome: 'sent' })).toBe(0);
});

test('close: what arrives while it closes counts as sent', async () => {
  const transport = failingTransport(2);
  const { observer } = anObserver({ transport });
  observer.record(ok());
  expect(await observer.close()).toEqual({ flushed: 1, unflushed: 0, spilled: 0 });
  expect(observer.stats()).toMatchObject({ kept: 1, sent: 1, dropped: 0 });
});

test('close: while a drain waits, both end', async () => {
  const { observer } = anObserver({ transport: silentTransport() });
  observer.record(ok());
  const draining = observer.drain({ timeoutMs: 60_000 });
  expect(await observer.close({ timeoutMs: 1 })).toEqual({ flushed: 0, unflushed: 1, spilled: 0 });
  expect(await draining).toEqual({ flushed: 0, unflushed: 0, spilled: 0 });
});

describe('with a clock that is turned by hand', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('sending: a chunk that does not fill goes out when its first record has waited long enough', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const transport = aTransport();
    const { observer } = anObserver({ transport, maxWaitMs: 20 });
    observer.record(ok());
    vi.advanceTimersByTime(15);
    observer.record(ok());
    vi.advanceTimersByTime(4);
    expect(transport.attempts).toEqual([]);
    vi.advanceTimersByTime(1);
    // It is compressed first, on another thread.
    vi.useRealTimers();
    await until(() => transport.attempts.length > 0);
    expect(transport.attempts).toHaveLength(1);
    await observer.drain();
    expect(transport.records).toHaveLength(2);
  });

  test('close: it leaves no timer behind that would keep the process', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { observer } = anObserver({ transport: silentTransport(), chunkRecords: 1 });
    for (let n = 0; n < 13; n += 1) observer.record(ok());
    const closing = observer.close({ timeoutMs: 5 });
    await vi.advanceTimersByTimeAsync(5);
    expect(await closing).toEqual({ flushed: 0, unflushed: 13, spilled: 0 });
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('drain: without an end, it waits for as long as it takes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const transport = silentTransport();
    const { observer } = anObserver({ transport });
    observer.record(ok());
    const draining = observer.drain({ timeoutMs: Number.POSITIVE_INFINITY });
    await vi.advanceTimersByTimeAsync(3_600_000);
    transport.goOn();
    expect(await draining).toEqual({ flushed: 1, unflushed: 0, spilled: 0 });
    vi.useRealTimers();
  });
});
