import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Execution } from '../../../producers/executions/execution.ts';
import type { ProducerMetrics } from '../../../producers/executions/execution-metrics.ts';
import {
  NoopExecutionObserver,
  type ObserverSettings,
  type ObserverStats,
} from '../../../producers/executions/execution-observer.ts';
import { withExecution } from '../../../producers/executions/with-execution.ts';
import { anExecution } from '../../support/execution.ts';
import { anObserver } from '../../support/observer.ts';
import { aSpan, inSpan, startOpenTelemetry } from '../../support/open-telemetry.ts';
import { aTransport, failingTransport, frozenTransport, silentTransport } from '../../support/transports.ts';
import { throwingGetter, unreadableObjects } from '../../support/unreadable.ts';

const ok = (overrides: Partial<Execution> = {}) => anExecution(overrides);
const failure = (overrides: Partial<Execution> = {}) =>
  anExecution({ status: 'error', errorCode: 'DSL_ARITH_DIV_BY_ZERO', points: null, ...overrides });
const labels = { realm: 'realm-1', strategy_type: 'DSL_FULL' };

/** A generator of "random" numbers that counts how often it is asked. */
function draws(...values: number[]) {
  const random = vi.fn(() => values.shift() ?? Number.NaN);
  return random;
}

const never = (): number => {
  throw new Error('must not be asked');
};

function expectBalanced(stats: ObserverStats): void {
  expect(stats.recorded).toBe(stats.sampledOut + stats.disabled + stats.dropped + stats.kept);
  expect(stats.sent).toBeLessThanOrEqual(stats.kept);
}

test('sampling: a failure is kept at rate 0, and nothing is drawn for it', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, settings: { sampleRate: 0 }, random: never });
  observer.record(failure());
  await observer.drain();
  expect(transport.records).toMatchObject([
    { status: 'error', errorCode: 'DSL_ARITH_DIV_BY_ZERO', sampled: false, sampleRate: 1 },
  ]);
});

test.each(['error', 'timeout', 'limit', 'cancelled'] as const)('sampling: %s counts as a failure', async (status) => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, settings: { sampleRate: 0.5 }, random: never });
  observer.record(ok({ status }));
  await observer.drain();
  expect(transport.records).toMatchObject([{ status, sampled: false }]);
});

test('sampling: an ok run that is drawn is kept whole, with the rate that it was drawn at', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, settings: { sampleRate: 0.25 }, random: draws(0.249) });
  observer.record(ok({ strategyVersion: 7, parentStrategyId: 'default' }));
  await observer.drain();
  expect(transport.records).toMatchObject([
    { status: 'ok', sampled: true, sampleRate: 0.25, strategyVersion: 7, parentStrategyId: 'default' },
  ]);
});

test('sampling: an ok run that is not drawn is left out and counted', async () => {
  const transport = aTransport();
  const { observer, value } = anObserver({ transport, settings: { sampleRate: 0.25 }, random: draws(0.25, 0.9) });
  observer.record(ok());
  observer.record(ok());
  await observer.drain();
  expect(transport.attempts).toEqual([]);
  expect(observer.stats()).toEqual({
    recorded: 2,
    sampledOut: 2,
    disabled: 0,
    dropped: 0,
    kept: 0,
    sent: 0,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  });
  expect(await value('sluice_producer_records_total', { outcome: 'sampled_out' })).toBe(2);
});

test('sampling: at rate 0 no ok run is kept, and nothing is drawn', () => {
  const { observer } = anObserver({ transport: aTransport(), settings: { sampleRate: 0 }, random: never });
  observer.record(ok());
  expect(observer.stats()).toMatchObject({ sampledOut: 1, dropped: 0, kept: 0 });
});

test('sampling: at rate 1 every ok run is kept, with one draw for each', () => {
  const random = draws(0, 0.5, 0.999_999);
  const { observer } = anObserver({ transport: aTransport(), random });
  for (let n = 0; n < 3; n += 1) observer.record(ok());
  expect(observer.stats()).toMatchObject({ kept: 3 });
  expect(random).toHaveBeenCalledTimes(3);
});

test('disabled: not even failures are stored, nothing is drawn, and all are counted', async () => {
  const transport = aTransport();
  const { observer, value } = anObserver({ transport, settings: { enabled: false }, random: never });
  observer.record(failure());
  observer.record(ok());
  await observer.drain();
  expect(transport.attempts).toEqual([]);
  expect(observer.stats()).toEqual({
    recorded: 2,
    sampledOut: 0,
    disabled: 2,
    dropped: 0,
    kept: 0,
    sent: 0,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  });
  expect(await value('sluice_producer_records_total', { outcome: 'disabled' })).toBe(2);
});

test('disabled: the metrics of the run still move', async () => {
  const { observer, value } = anObserver({ transport: aTransport(), settings: { enabled: false } });
  observer.record(failure({ durationMs: 300, nodesExecuted: 5 }));
  expect(await value('dsl_execution_duration_seconds_sum', { ...labels, status: 'error' })).toBe(0.3);
  expect(await value('dsl_execution_nodes_total', labels)).toBe(5);
  expect(await value('dsl_execution_errors_total', { ...labels, code: 'DSL_ARITH_DIV_BY_ZERO' })).toBe(1);
});

test('without a queue: nothing is thrown, nothing is stored, and the metrics still move', async () => {
  const { observer, value } = anObserver({ transport: null, random: never });
  observer.record(failure());
  observer.record(ok());
  expect(observer.stats()).toMatchObject({ recorded: 2, disabled: 2, kept: 0 });
  expect(await value('dsl_execution_errors_total', { ...labels, code: 'DSL_ARITH_DIV_BY_ZERO' })).toBe(1);
  expect(await observer.drain()).toEqual({ flushed: 0, unflushed: 0, spilled: 0 });
  expect(await observer.close()).toEqual({ flushed: 0, unflushed: 0, spilled: 0 });
  expect(observer.depth()).toEqual({ records: 0, bytes: 0 });
});

test('metrics: an unknown status counts as an error, as it is stored', async () => {
  const { observer, value } = anObserver({ transport: null });
  observer.record({ ...ok(), status: 'strange' as 'ok' });
  expect(await value('dsl_execution_duration_seconds_count', { ...labels, status: 'error' })).toBe(1);
  expect(await value('dsl_execution_errors_total', { ...labels, code: 'unknown' })).toBe(1);
});

/** Metrics, clock and draws that write down the order in which they are asked. */
function steps(settings: Partial<ObserverSettings>, drawn: number) {
  const seen: string[] = [];
  const step = (name: string) => (): void => {
    seen.push(name);
  };
  const metrics: ProducerMetrics = {
    observe: () => {
      seen.push('observe');
      return { realm: 'r', strategyType: 't' };
    },
    dropped: step('dropped'),
    sampledOut: step('sampledOut'),
    disabled: step('disabled'),
    sent: step('sent'),
    refused: step('refused'),
    sendFailed: step('sendFailed'),
    close: () => undefined,
  };
  const random = () => {
    seen.push('random');
    return drawn;
  };
  const now = () => {
    seen.push('now');
    return 0;
  };
  return { seen, ...anObserver({ transport: aTransport(), settings, metrics, random, now }) };
}

test.each<[kind: string, settings: Partial<ObserverSettings>, drawn: number, execution: Execution, seen: string[]]>([
  ['a failure', { sampleRate: 0.5 }, 0, failure(), ['observe', 'now']],
  ['an ok run that is kept', { sampleRate: 0.5 }, 0.1, ok(), ['observe', 'random', 'now']],
  ['an ok run that is left out', { sampleRate: 0.5 }, 0.7, ok(), ['observe', 'random', 'sampledOut']],
  ['an ok run at rate 0', { sampleRate: 0 }, 0, ok(), ['observe', 'sampledOut']],
  ['a failure while disabled', { enabled: false }, 0, failure(), ['observe', 'disabled']],
])('order: of %s, metrics come first', (_kind, settings, drawn, execution, expected) => {
  const { observer, seen } = steps(settings, drawn);
  observer.record(execution);
  expect(seen).toEqual(expected);
});

test('order: after close, a record is observed and drawn for, then dropped', async () => {
  const { observer, seen } = steps({ sampleRate: 0.5 }, 0.1);
  await observer.close();
  observer.record(ok());
  expect(seen).toEqual(['observe', 'random', 'dropped']);
});

test('record: it returns before anything is sent, and a drain sends it', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, chunkRecords: 1 });
  observer.record(ok());
  expect(transport.attempts).toEqual([]);
  expect(observer.depth().records).toBe(1);
  expect(await observer.drain()).toEqual({ flushed: 1, unflushed: 0, spilled: 0 });
  expect(transport.records).toMatchObject([{ strategyId: ok().strategyId }]);
  expect(observer.depth()).toEqual({ records: 0, bytes: 0 });
  expect(observer.stats()).toMatchObject({ recorded: 1, kept: 1, sent: 1 });
});

test('record: what the caller changes afterwards does not reach the chunk', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  const input = { deep: ['before'] };
  const value = ['before'];
  const execution = ok({ trace: [{ nodeId: 'n', type: 'field', value }], input });
  observer.record(execution);
  input.deep.push('after');
  value.push('after');
  execution.strategyId = 'after';
  execution.status = 'error';
  await observer.drain();
  expect(transport.records).toMatchObject([
    { status: 'ok', trace: [{ nodeId: 'n', type: 'field', value: ['before'] }], input: { deep: ['before'] } },
  ]);
  expect(transport.attempts[0]?.[0]?.data).not.toContain('after');
});

test('record: the trace limit and the size of a record are kept to', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, settings: { traceLimit: 2 }, recordMaxBytes: 1_024 });
  const entry = { nodeId: 'n', type: 'literal', value: 1 };
  observer.record(ok({ trace: [entry, entry, entry] }));
  observer.record(ok({ input: 'x'.repeat(5_000) }));
  await observer.drain();
  expect(transport.records).toMatchObject([{ trace: [entry, entry], traceLength: 3 }, { traceLength: 2 }]);
  expect(JSON.stringify(transport.records[1]).length).toBeLessThanOrEqual(1_024);
});

test('record: the time of the call is stored, not that of the send', async () => {
  const transport = aTransport();
  let nowMs = Date.UTC(2026, 0, 1);
  const { observer } = anObserver({ transport, now: () => nowMs });
  observer.record(ok());
  nowMs += 60_000;
  await observer.drain();
  expect(transport.records).toMatchObject([{ recordedAt: '2026-01-01T00:00:00.000Z' }]);
});

const fieldNames = [...Object.keys(anExecution()), 'id', 'recordedAt', 'attempt', 'errorCode', 'errorMessage'];

test.each<[kind: string, value: unknown]>([
  ['null', null],
  ['undefined', undefined],
  ['a number', 5],
  ['text', 'run'],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['a list', []],
  ['an empty object', {}],
  ...unreadableObjects(),
  ...fieldNames.map((name): [string, unknown] => [`an execution whose ${name} throws`, throwingIn(name)]),
])('record: %s does not throw, and is accounted for', async (_kind, value) => {
  const transport = aTransport();
  const { observer, value: metric } = anObserver({ transport });
  expect(() => observer.record(value as Execution)).not.toThrow();
  expect(observer.stats().recorded).toBe(1);
  expectBalanced(observer.stats());
  await observer.close();
  expectBalanced(observer.stats());
  expect(transport.records).toHaveLength(observer.stats().sent);
  expect(await metric('sluice_producer_records_total', { outcome: 'dropped' })).toBe(observer.stats().dropped);
});

test.each(unreadableObjects())(
  'record: %s, as any field of a failure, does not cost the record',
  async (_kind, value) => {
    const transport = aTransport();
    const { observer } = anObserver({ transport });
    for (const name of fieldNames) observer.record({ ...failure(), [name]: value });
    await observer.close();
    expect(observer.stats()).toMatchObject({
      recorded: fieldNames.length,
      kept: fieldNames.length,
      sent: fieldNames.length,
    });
    expect(transport.records).toHaveLength(fieldNames.length);
  },
);

function throwingIn(name: string): object {
  const { [name]: _gone, ...rest } = { ...failure() } as Record<string, unknown>;
  return Object.assign(throwingGetter(name), rest);
}

test('record: labels that cannot be written do not upset the accounts when their records are dropped', async () => {
  const transport = silentTransport();
  const odd = Object.create(null) as string;
  const { observer, value } = anObserver({ transport, bufferRecords: 1 });
  observer.record(ok({ realmId: odd, strategyType: odd }));
  observer.record(ok({ realmId: odd, strategyType: odd }));
  observer.record(failure({ realmId: odd }));
  observer.record(failure({ realmId: odd }));
  expect(observer.stats()).toEqual({
    recorded: 4,
    sampledOut: 0,
    disabled: 0,
    dropped: 3,
    kept: 1,
    sent: 0,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  });
  expect(await observer.close({ timeoutMs: 1 })).toEqual({ flushed: 0, unflushed: 1, spilled: 0 });
  expect(observer.stats()).toMatchObject({ recorded: 4, dropped: 4, kept: 0 });
  expect(await value('sluice_producer_records_total', { outcome: 'dropped' })).toBe(4);
});

test('record: metrics that throw do not cost the record, and are reported', async () => {
  const transport = aTransport();
  const nothing = (): void => undefined;
  const broken: ProducerMetrics = {
    observe: () => {
      throw new Error('registry is gone');
    },
    dropped: nothing,
    sampledOut: nothing,
    disabled: nothing,
    sent: nothing,
    refused: nothing,
    sendFailed: nothing,
    close: nothing,
  };
  const { observer, lines } = anObserver({ transport, metrics: broken });
  observer.record(ok());
  await observer.drain();
  expect(transport.records).toHaveLength(1);
  expect(lines).toMatchObject([{ count: 1, message: 'execution metrics could not be updated' }]);
});

test('drops: with room for one, of two back to back the first survives and the second is counted', async () => {
  const transport = aTransport();
  const { observer, value, lines } = anObserver({ transport, bufferRecords: 1 });
  observer.record(ok({ caseName: 'first' }));
  observer.record(ok({ caseName: 'second' }));
  expect(observer.stats()).toMatchObject({ recorded: 2, dropped: 1, kept: 1 });
  await observer.drain();
  expect(transport.records).toMatchObject([{ caseName: 'first' }]);
  expect(await value('dsl_execution_log_dropped_total', labels)).toBe(1);
  expect(lines).toMatchObject([{ count: 1, message: 'execution records dropped' }]);
});

test('drops: a failure takes the room of the oldest ok run, which is counted under its own labels', async () => {
  const transport = aTransport();
  const { observer, value } = anObserver({ transport, bufferRecords: 2 });
  observer.record(ok({ realmId: 'oldest', caseName: 'oldest' }));
  observer.record(ok({ caseName: 'newer' }));
  observer.record(failure({ caseName: 'failed' }));
  await observer.drain();
  expect(transport.records.map(({ caseName }) => caseName)).toEqual(['failed', 'newer']);
  expect(await value('dsl_execution_log_dropped_total', { ...labels, realm: 'oldest' })).toBe(1);
  expect(await value('dsl_execution_log_dropped_total', labels)).toBe(0);
  expect(observer.stats()).toEqual({
    recorded: 3,
    sampledOut: 0,
    disabled: 0,
    dropped: 1,
    kept: 2,
    sent: 2,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  });
});

test('drops: the buffer is bounded by bytes, too', () => {
  const { observer } = anObserver({ transport: aTransport(), bufferBytes: 20_000 });
  for (let n = 0; n < 10; n += 1) observer.record(ok({ input: 'x'.repeat(5_000) }));
  expect(observer.stats()).toMatchObject({ kept: 3, dropped: 7 });
  expect(observer.depth().bytes).toBeLessThanOrEqual(20_000);
});

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
    expect(transport.attempts).toHaveLength(1);
    await observer.drain();
    expect(transport.records).toHaveLength(2);
    vi.useRealTimers();
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

test('configure: changes count from the next record on, and leave the others as they were', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, settings: { sampleRate: 0 } });
  observer.record(ok({ caseName: 'a' }));
  observer.configure({ sampleRate: 0.5 });
  observer.record(ok({ caseName: 'b' }));
  observer.configure({ traceLimit: 1 });
  observer.record(ok({ caseName: 'c' }));
  observer.configure({ enabled: false });
  observer.record(failure({ caseName: 'd' }));
  observer.configure({ enabled: true });
  observer.record(failure({ caseName: 'e' }));
  await observer.drain();
  expect(transport.records.map(({ caseName, sampleRate, trace }) => [caseName, sampleRate, trace?.length])).toEqual([
    ['e', 1, 1],
    ['b', 0.5, 2],
    ['c', 0.5, 1],
  ]);
});

test.each<[settings: Record<string, unknown>, message: string]>([
  [{ sampleRate: -0.1 }, 'sampleRate is -0.1; accepted: a number from 0 to 1'],
  [{ sampleRate: 1.1 }, 'sampleRate is 1.1; accepted: a number from 0 to 1'],
  [{ sampleRate: Number.NaN }, 'sampleRate is NaN; accepted: a number from 0 to 1'],
  [{ sampleRate: Number.POSITIVE_INFINITY }, 'sampleRate is Infinity; accepted: a number from 0 to 1'],
  [{ sampleRate: undefined }, 'sampleRate is undefined; accepted: a number from 0 to 1'],
  [{ traceLimit: 1.5 }, 'traceLimit is 1.5; accepted: a whole number, 0 or less keeps all'],
  [{ traceLimit: Number.NaN }, 'traceLimit is NaN; accepted: a whole number, 0 or less keeps all'],
])('configure: %o is refused, and changes nothing', (settings, message) => {
  const { observer } = anObserver({ transport: aTransport() });
  expect(() => observer.configure({ enabled: false, ...settings })).toThrow(new RangeError(message));
  observer.record(ok());
  expect(observer.stats()).toMatchObject({ kept: 1 });
  expect(() => anObserver({ transport: null, settings: settings as Partial<ObserverSettings> })).toThrow(RangeError);
});

test.each([{ sampleRate: 0 }, { sampleRate: 1 }, { traceLimit: 0 }, { traceLimit: -1 }, {}])(
  'configure: %o is accepted',
  (settings) => {
    const { observer } = anObserver({ transport: null });
    expect(() => observer.configure(settings)).not.toThrow();
  },
);

test('stats: they are a copy', () => {
  const { observer } = anObserver({ transport: null });
  observer.stats().recorded = 99;
  expect(observer.stats().recorded).toBe(0);
});

test('noop: it accepts anything', () => {
  const observer = new NoopExecutionObserver();
  for (const value of [null, undefined, 5, {}, ok()]) expect(observer.record(value as Execution)).toBeUndefined();
});

test('wiring: a run of scoring code is stored as one record, ok or failed', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  const subject = { strategyId: 's', strategyVersion: 1, strategyType: 'DSL_FULL', realmId: 'r' };
  withExecution(observer, subject, (run) => {
    run.trace.push({ nodeId: 'n1', type: 'assign_points', value: 3 });
    run.points = 3;
    run.caseName = 'Basic';
  });
  const divide = (): void =>
    withExecution(observer, subject, () => {
      throw Object.assign(new Error('division by zero'), { code: 'DSL_ARITH_DIV_BY_ZERO' });
    });
  expect(divide).toThrow('division by zero');
  await observer.drain();
  expect(transport.records).toMatchObject([
    { status: 'error', errorCode: 'DSL_ARITH_DIV_BY_ZERO', realmId: 'r', strategyId: 's', trace: [] },
    { status: 'ok', points: 3, caseName: 'Basic', nodesExecuted: 1, trace: [{ nodeId: 'n1' }] },
  ]);
  expect(transport.records[0]).not.toHaveProperty('points');
  expect(transport.records[1]).not.toHaveProperty('errorCode');
});

type Act = 'ok' | 'failure' | 'garbage' | 'hostile' | 'disable' | 'enable' | 'drain' | 'close';
const acts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<Act>('ok', 'failure') },
    { weight: 3, arbitrary: fc.constantFrom<Act>('garbage', 'hostile', 'disable', 'enable', 'drain') },
    { weight: 1, arbitrary: fc.constant<Act>('close') },
  ),
  { maxLength: 60, size: 'max' },
);

test('accounts: whatever happens, every record is counted once, in the stats as in the metrics', async () => {
  await fc.assert(
    fc.asyncProperty(
      acts,
      fc.constantFrom('accepts', 'fails at times', 'always fails', 'is silent', 'is frozen'),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(0, 0.5, 1),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (sequence, mode, bufferRecords, sampleRate, numbers) => {
        const transport = {
          accepts: () => aTransport(),
          'fails at times': () => failingTransport(3),
          'always fails': () => failingTransport(Number.POSITIVE_INFINITY),
          'is silent': silentTransport,
          'is frozen': frozenTransport,
        }[mode]();
        const random = () => numbers.next().value as number;
        const { observer, value } = anObserver({
          transport,
          bufferRecords,
          chunkRecords: 2,
          settings: { sampleRate },
          random,
        });
        const perform: Record<Act, () => unknown> = {
          ok: () => observer.record(ok()),
          failure: () => observer.record(failure()),
          garbage: () => observer.record(null as unknown as Execution),
          hostile: () => observer.record(ok({ realmId: Object.create(null), strategyType: Object.create(null) })),
          disable: () => observer.configure({ enabled: false }),
          enable: () => observer.configure({ enabled: true }),
          drain: () => observer.drain({ timeoutMs: 1 }),
          close: () => void observer.close({ timeoutMs: 1 }),
        };
        for (const act of sequence) {
          await perform[act]();
          expectBalanced(observer.stats());
          expect(observer.depth().records).toBeLessThanOrEqual(bufferRecords);
        }
        const { unflushed } = await observer.close({ timeoutMs: 1 });
        const stats = observer.stats();
        expectBalanced(stats);
        expect(stats.recorded).toBe(
          sequence.filter((act) => ['ok', 'failure', 'garbage', 'hostile'].includes(act)).length,
        );
        expect(stats.kept).toBe(stats.sent);
        expect(stats.dropped).toBeGreaterThanOrEqual(unflushed);
        expect(transport.records).toHaveLength(stats.sent);
        expect(new Set(transport.records.map(({ id }) => id)).size).toBe(stats.sent);
        expect({
          sampledOut: await value('sluice_producer_records_total', { outcome: 'sampled_out' }),
          disabled: await value('sluice_producer_records_total', { outcome: 'disabled' }),
          dropped: await value('sluice_producer_records_total', { outcome: 'dropped' }),
          sent: await value('sluice_producer_records_total', { outcome: 'sent' }),
        }).toEqual({
          sampledOut: stats.sampledOut,
          disabled: stats.disabled,
          dropped: stats.dropped,
          sent: stats.sent,
        });
      },
    ),
    { numRuns: 150 },
  );
});

test('span: a record has the ids of the one that is active at the call, however late it is sent', async () => {
  startOpenTelemetry();
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  inSpan(aSpan('1'), () => observer.record(ok()));
  inSpan(aSpan('2'), () => withExecution(observer, ok(), () => 1));
  observer.record(ok());
  await inSpan(aSpan('3'), () => observer.drain());
  expect(transport.records.map(({ traceId, spanId }) => ({ traceId, spanId }))).toEqual([
    aSpan('1'),
    aSpan('2'),
    { traceId: undefined, spanId: undefined },
  ]);
});

test('span: what cannot be copied has its ids, too', async () => {
  startOpenTelemetry();
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  inSpan(aSpan(), () => observer.record(ok({ input: new Map([[1, 2n]]) })));
  await observer.drain();
  expect(transport.records).toMatchObject([aSpan()]);
  expect(transport.attempts.flat().map(({ data }) => JSON.parse(data).v)).toEqual([2]);
});
