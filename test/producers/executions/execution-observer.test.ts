import { expect, test } from 'vitest';
import type { Execution } from '../../../producers/executions/execution.ts';
import type { ExecutionMetrics } from '../../../producers/executions/execution-metrics.ts';
import { NoopExecutionObserver, type ObserverSettings } from '../../../producers/executions/execution-observer.ts';
import { withExecution } from '../../../producers/executions/with-execution.ts';
import { ledgerChunkVersion } from '../../../shared/contracts/chunk.ts';
import { anExecution, failure, anExecution as ok } from '../../support/execution.ts';
import { anObserver, expectBalanced } from '../../support/observer.ts';
import { aSpan, inSpan, startOpenTelemetry } from '../../support/open-telemetry.ts';
import { aTransport, silentTransport } from '../../support/transports.ts';
import { throwingGetter, unreadableObjects } from '../../support/unreadable.ts';

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
  const broken: ExecutionMetrics = {
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
  expect(transport.attempts.flat().map(({ data }) => JSON.parse(data).v)).toEqual([ledgerChunkVersion]);
});
