import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createProducerMetrics, type Observation } from '../../producers/metrics.ts';
import { metricValue } from '../support/metric-value.ts';
import { unreadableObjects } from '../support/unreadable.ts';

function metricsOf() {
  const registry = new Registry();
  const depth = { records: 0, bytes: 0 };
  const metrics = createProducerMetrics(registry, () => depth);
  const value = (name: string, labels?: Record<string, string | number>) => metricValue(registry, name, labels);
  return { registry, metrics, depth, value };
}

const observation = (overrides: Partial<Observation> = {}): Observation => ({
  realm: 'r',
  strategyType: 'DSL_FULL',
  status: 'ok',
  errorCode: null,
  durationMs: 3,
  nodesExecuted: 4,
  ...overrides,
});

test('metrics: names, kinds and labels are those of the system that is replaced, and our own', async () => {
  const { registry, metrics } = metricsOf();
  metrics.observe(observation({ status: 'error', errorCode: 'E' }));
  metrics.dropped('r', 'DSL_FULL');
  const found = (await registry.getMetricsAsJSON()).map(({ name, type, values }) => {
    const labels = new Set(values.flatMap((sample) => Object.keys(sample.labels)));
    return [name, type, [...labels].filter((label) => label !== 'le').sort()];
  });
  expect(found).toEqual([
    ['dsl_execution_duration_seconds', 'histogram', ['realm', 'status', 'strategy_type']],
    ['dsl_execution_nodes_total', 'counter', ['realm', 'strategy_type']],
    ['dsl_execution_errors_total', 'counter', ['code', 'realm', 'strategy_type']],
    ['dsl_execution_log_dropped_total', 'counter', ['realm', 'strategy_type']],
    ['sluice_producer_records_total', 'counter', ['outcome']],
    ['sluice_producer_send_failures_total', 'counter', []],
    ['sluice_producer_buffer_records', 'gauge', []],
    ['sluice_producer_buffer_bytes', 'gauge', []],
  ]);
});

test('metrics: the bucket edges are those of the system that is replaced', async () => {
  const { registry, metrics } = metricsOf();
  metrics.observe(observation());
  const edges = [...(await registry.metrics()).matchAll(/_bucket\{le="([^"]+)"/g)].map(([, edge]) => edge);
  expect(edges).toEqual('0.005 0.01 0.025 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 0.75 1 2.5 5 +Inf'.split(' '));
});

test('metrics: a duration is observed in seconds, and its edge belongs to the bucket', async () => {
  const { metrics, value } = metricsOf();
  metrics.observe(observation({ durationMs: 250 }));
  const labels = { realm: 'r', strategy_type: 'DSL_FULL', status: 'ok' };
  expect(await value('dsl_execution_duration_seconds_bucket', { ...labels, le: 0.2 })).toBe(0);
  expect(await value('dsl_execution_duration_seconds_bucket', { ...labels, le: 0.25 })).toBe(1);
  expect(await value('dsl_execution_duration_seconds_sum', labels)).toBe(0.25);
  expect(await value('dsl_execution_duration_seconds_count', labels)).toBe(1);
});

test('metrics: nodes add up', async () => {
  const { metrics, value } = metricsOf();
  metrics.observe(observation({ nodesExecuted: 4 }));
  metrics.observe(observation({ nodesExecuted: 0 }));
  metrics.observe(observation({ nodesExecuted: 5, status: 'error' }));
  expect(await value('dsl_execution_nodes_total', { realm: 'r', strategy_type: 'DSL_FULL' })).toBe(9);
});

test('metrics: an ok run is no error, whatever its code', async () => {
  const { metrics, registry } = metricsOf();
  metrics.observe(observation({ errorCode: 'DSL_TIMEOUT' }));
  expect(await registry.getSingleMetric('dsl_execution_errors_total')?.get()).toMatchObject({ values: [] });
});

test.each(['error', 'timeout', 'limit', 'cancelled', 'of my own'])(
  'metrics: a run that ended with %s is an error',
  async (status) => {
    const { metrics, value } = metricsOf();
    metrics.observe(observation({ status, errorCode: 'DSL_X' }));
    metrics.observe(observation({ status, errorCode: 'DSL_X' }));
    const labels = { realm: 'r', strategy_type: 'DSL_FULL', code: 'DSL_X' };
    expect(await value('dsl_execution_errors_total', labels)).toBe(2);
  },
);

test.each([null, undefined, ''])('metrics: a realm, type or code of %j is unknown', async (absent) => {
  const { metrics, value } = metricsOf();
  metrics.observe(observation({ realm: absent, strategyType: absent, status: 'error', errorCode: absent }));
  metrics.dropped(absent, absent);
  const labels = { realm: 'unknown', strategy_type: 'unknown' };
  expect(await value('dsl_execution_duration_seconds_count', { ...labels, status: 'error' })).toBe(1);
  expect(await value('dsl_execution_nodes_total', labels)).toBe(4);
  expect(await value('dsl_execution_errors_total', { ...labels, code: 'unknown' })).toBe(1);
  expect(await value('dsl_execution_log_dropped_total', labels)).toBe(1);
});

test.each(['', 'Odd', 'unknown'])('metrics: a status of %j is taken as it is', async (status) => {
  const { metrics, value } = metricsOf();
  metrics.observe(observation({ status }));
  expect(await value('dsl_execution_duration_seconds_count', { realm: 'r', strategy_type: 'DSL_FULL', status })).toBe(
    1,
  );
});

test('metrics: values that are no label are written as text', async () => {
  const { metrics, value, registry } = metricsOf();
  metrics.dropped(5 as unknown as string, 'a"b\\c\n');
  expect(await value('dsl_execution_log_dropped_total', { realm: '5', strategy_type: 'a"b\\c\n' })).toBe(1);
  expect(await registry.metrics()).toContain(String.raw`strategy_type="a\"b\\c\n"`);
});

test.each(unreadableObjects())('metrics: %s, as a label or a number, breaks nothing', async (_kind, bad) => {
  const { metrics, registry, value } = metricsOf();
  const text = bad as unknown as string;
  const number = bad as unknown as number;
  metrics.dropped(text, text);
  metrics.observe(observation({ realm: text, strategyType: text, errorCode: text, status: 'error' }));
  metrics.observe(observation({ durationMs: number, nodesExecuted: number, status: 'error', errorCode: 'E' }));
  expect(await value('dsl_execution_errors_total', { realm: 'r', strategy_type: 'DSL_FULL', code: 'E' })).toBe(1);
  expect(await value('sluice_producer_records_total', { outcome: 'dropped' })).toBe(1);
  expect(await registry.metrics()).toContain('dsl_execution_log_dropped_total{');
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '5', undefined, null, 5n, Symbol('s')])(
  'metrics: %o nodes add nothing, and the run still counts',
  async (bad) => {
    const { metrics, value } = metricsOf();
    metrics.observe(observation({ nodesExecuted: bad as number, status: 'error', errorCode: 'E' }));
    expect(await value('dsl_execution_nodes_total', { realm: 'r', strategy_type: 'DSL_FULL' })).toBe(0);
    expect(await value('dsl_execution_errors_total', { realm: 'r', strategy_type: 'DSL_FULL', code: 'E' })).toBe(1);
  },
);

test.each([Number.NaN, Number.POSITIVE_INFINITY, '5', undefined, null, 5n, Symbol('s')])(
  'metrics: a duration of %o is left out, and the run still counts',
  async (bad) => {
    const { metrics, value } = metricsOf();
    metrics.observe(observation({ durationMs: bad as number }));
    const labels = { realm: 'r', strategy_type: 'DSL_FULL' };
    expect(await value('dsl_execution_duration_seconds_count', { ...labels, status: 'ok' })).toBe(0);
    expect(await value('dsl_execution_nodes_total', labels)).toBe(4);
  },
);

test('metrics: every way out of the producer is counted', async () => {
  const { metrics, value } = metricsOf();
  metrics.sampledOut();
  metrics.sampledOut();
  metrics.disabled();
  metrics.dropped('r', 'DSL_FULL');
  metrics.sent(7);
  metrics.sendFailed();
  expect(await value('sluice_producer_records_total', { outcome: 'sampled_out' })).toBe(2);
  expect(await value('sluice_producer_records_total', { outcome: 'disabled' })).toBe(1);
  expect(await value('sluice_producer_records_total', { outcome: 'dropped' })).toBe(1);
  expect(await value('sluice_producer_records_total', { outcome: 'sent' })).toBe(7);
  expect(await value('dsl_execution_log_dropped_total', { realm: 'r', strategy_type: 'DSL_FULL' })).toBe(1);
  expect(await value('sluice_producer_send_failures_total')).toBe(1);
});

test('metrics: the depth of the buffer is asked for at each scrape', async () => {
  const { depth, value } = metricsOf();
  expect(await value('sluice_producer_buffer_records')).toBe(0);
  Object.assign(depth, { records: 3, bytes: 700 });
  expect(await value('sluice_producer_buffer_records')).toBe(3);
  expect(await value('sluice_producer_buffer_bytes')).toBe(700);
});

test('metrics: counts survive more series than are remembered at once', async () => {
  const { metrics, value } = metricsOf();
  for (let round = 0; round < 2; round += 1) {
    for (let n = 0; n < 10_001; n += 1) metrics.observe(observation({ realm: `r${n}` }));
  }
  expect(await value('dsl_execution_nodes_total', { realm: 'r0', strategy_type: 'DSL_FULL' })).toBe(8);
});

test('metrics: a second observer on one registry is refused', () => {
  const { registry } = metricsOf();
  expect(() => createProducerMetrics(registry, () => ({ records: 0, bytes: 0 }))).toThrow(/already been registered/);
});
