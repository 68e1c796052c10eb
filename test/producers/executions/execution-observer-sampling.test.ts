import { expect, test, vi } from 'vitest';
import type { Execution } from '../../../producers/executions/execution.ts';
import type { ExecutionMetrics } from '../../../producers/executions/execution-metrics.ts';
import type { ObserverSettings } from '../../../producers/executions/execution-observer.ts';
import { failure, anExecution as ok } from '../../support/execution.ts';
import { anObserver, labels } from '../../support/observer.ts';
import { aTransport } from '../../support/transports.ts';

/** A generator of "random" numbers that counts how often it is asked. */
function draws(...values: number[]) {
  const random = vi.fn(() => values.shift() ?? Number.NaN);
  return random;
}

const never = (): number => {
  throw new Error('must not be asked');
};

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

/** Metrics, clock and draws that write down the order in which they are asked, once a minute has begun: its first run reads the clock. */
function steps(settings: Partial<ObserverSettings>, drawn: number) {
  const seen: string[] = [];
  const step = (name: string) => (): void => {
    seen.push(name);
  };
  const metrics: ExecutionMetrics = {
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
  const made = anObserver({ transport: aTransport(), settings, metrics, random, now });
  made.observer.record(failure());
  seen.length = 0;
  return { seen, ...made };
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
  seen.length = 0;
  observer.record(ok());
  expect(seen).toEqual(['observe', 'random', 'dropped']);
});
