import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createExecutionMetrics } from '../../../producers/executions/execution-metrics.ts';
import type { Observation } from '../../../producers/executions/execution-series.ts';
import { heapBytes } from '../../support/heap.ts';
import { metricValue } from '../../support/metric-value.ts';
import { unreadableObjects } from '../../support/unreadable.ts';

function metricsOf({ maxSeries = 1_000 } = {}) {
  const registry = new Registry();
  const depth = { records: 0, bytes: 0 };
  const metrics = createExecutionMetrics(registry, () => depth, maxSeries);
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
    ['sluice_producer_series_overflow_total', 'counter', ['metric']],
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

/** All samples of a metric, by their labels, as a scrape shows them. */
async function samplesOf(registry: Registry, name: string) {
  const metric = await registry.getSingleMetric(name)?.get();
  const samples = (metric?.values ?? []) as { metricName?: string; labels: Record<string, string>; value: number }[];
  return samples.filter(({ metricName = name }) => metricName === name || metricName === `${name}_count`);
}

const sumOf = (samples: readonly { value: number }[]): number => samples.reduce((sum, { value }) => sum + value, 0);

const bounded = [
  'dsl_execution_duration_seconds',
  'dsl_execution_nodes_total',
  'dsl_execution_errors_total',
  'dsl_execution_log_dropped_total',
];

test.each<[string, (n: number) => Partial<Observation>]>([
  ['codes', (n) => ({ errorCode: `E-${n}` })],
  ['realms', (n) => ({ realm: `realm-${n}` })],
  ['strategy types', (n) => ({ strategyType: `type-${n}` })],
  [
    'realms, types and codes together',
    (n) => ({ realm: `r-${n % 71}`, strategyType: `t-${n % 61}`, errorCode: `E-${n}` }),
  ],
])(
  'series: of any number of %s a bounded number has series of its own, and the sum is that of all',
  async (_kind, vary) => {
    const { metrics, registry, value } = metricsOf({ maxSeries: 50 });
    const runs = 3_000;
    for (let n = 0; n < runs; n += 1) {
      const one = observation({ status: 'error', ...vary(n) });
      metrics.observe(one);
      metrics.dropped(one.realm, one.strategyType);
    }
    for (const name of bounded) {
      const samples = await samplesOf(registry, name);
      // One of `other` comes on top.
      expect(samples.length).toBeLessThanOrEqual(51);
      expect(sumOf(samples)).toBe(name === 'dsl_execution_nodes_total' ? runs * 4 : runs);
    }
    const overflow = await samplesOf(registry, 'sluice_producer_series_overflow_total');
    expect(sumOf(overflow)).toBeGreaterThan(runs - 200);
    expect(await value('sluice_producer_records_total', { outcome: 'dropped' })).toBe(runs);
  },
);

test('series: what has one keeps it when the bound is met, and a code too many is other in its own realm', async () => {
  const { metrics, value } = metricsOf({ maxSeries: 20 });
  const known = observation({ realm: 'known', status: 'error', errorCode: 'E' });
  metrics.observe(known);
  for (let n = 0; n < 1_000; n += 1) metrics.observe({ ...known, errorCode: `E-${n}` });
  for (let n = 0; n < 1_000; n += 1) metrics.observe({ ...known, realm: `r-${n}` });
  metrics.observe(known);
  const labels = { realm: 'known', strategy_type: 'DSL_FULL' };
  expect(await value('dsl_execution_errors_total', { ...labels, code: 'E' })).toBe(2);
  expect(await value('dsl_execution_errors_total', { ...labels, code: 'other' })).toBe(1_000 - 17);
  expect(await value('dsl_execution_duration_seconds_count', { ...labels, status: 'error' })).toBe(1_002);
  const others = { realm: 'other', strategy_type: 'other' };
  expect(await value('dsl_execution_duration_seconds_count', { ...others, status: 'error' })).toBe(1_000 - 19);
  expect(await value('sluice_producer_series_overflow_total', { metric: 'dsl_execution_duration_seconds' })).toBe(981);
});

test('series: a long value is cut, and neither it nor the text that it is a part of is kept', async () => {
  const { metrics, registry } = metricsOf();
  const before = heapBytes();
  for (let n = 0; n < 20; n += 1) {
    // A part of a text holds on to the whole of it, unless it is copied.
    const text = `${n}`.padEnd(5_000_000, 'x');
    metrics.observe(observation({ realm: text, strategyType: text.slice(0, 30), status: 'error', errorCode: text }));
    metrics.dropped(text, text);
  }
  expect(heapBytes() - before).toBeLessThan(20_000_000);
  for (const { labels } of await samplesOf(registry, 'dsl_execution_errors_total'))
    for (const label of Object.values(labels)) expect(label.length).toBeLessThanOrEqual(120);
});

test('series: two lone surrogates are one series, as they are one text in a scrape', async () => {
  const { metrics, registry } = metricsOf();
  for (const errorCode of ['a\ud800', 'a\ud801', `${'x'.repeat(119)}😀`, `${'x'.repeat(119)}😁`])
    metrics.observe(observation({ status: 'error', errorCode }));
  const samples = await samplesOf(registry, 'dsl_execution_errors_total');
  expect(samples.map(({ labels, value }) => [labels['code'], value])).toEqual([
    ['a\ufffd', 2],
    [`${'x'.repeat(119)}\ufffd`, 2],
  ]);
});

test('metrics: observers of one registry count into the same ones, and the last to close takes them away', async () => {
  const registry = new Registry();
  const one = createExecutionMetrics(registry, () => ({ records: 1, bytes: 10 }));
  const other = createExecutionMetrics(registry, () => ({ records: 2, bytes: 20 }));
  const sent = () => metricValue(registry, 'sluice_producer_records_total', { outcome: 'sent' });
  one.sent(3);
  other.sent(4);
  expect(await sent()).toBe(7);
  expect(await metricValue(registry, 'sluice_producer_buffer_records')).toBe(3);
  one.close();
  one.close();
  // Counters never go back while they are there.
  expect(await sent()).toBe(7);
  expect(await metricValue(registry, 'sluice_producer_buffer_bytes')).toBe(20);
  other.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
  const next = createExecutionMetrics(registry, () => ({ records: 0, bytes: 0 }));
  next.sent(1);
  expect(await sent()).toBe(1);
});

test('metrics: in a registry that was cleared meanwhile they are there again with the next observer', async () => {
  const { registry, metrics, value } = metricsOf();
  metrics.sent(1);
  registry.clear();
  const next = createExecutionMetrics(registry, () => ({ records: 0, bytes: 0 }));
  next.sent(2);
  expect(await value('sluice_producer_records_total', { outcome: 'sent' })).toBe(3);
});

test('metrics: a name that is somebody else’s is refused with the remedy, and nothing stays behind', () => {
  const registry = new Registry();
  const foreign = new Gauge({ name: 'sluice_producer_buffer_bytes', help: 'of somebody else', registers: [registry] });
  expect(() => createExecutionMetrics(registry, () => ({ records: 0, bytes: 0 }))).toThrow(
    /already has a metric sluice_producer_buffer_bytes.*close that producer first, or give this one its own registry/,
  );
  expect(registry.getMetricsAsArray()).toEqual([foreign]);
});
