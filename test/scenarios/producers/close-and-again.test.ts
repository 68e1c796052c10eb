import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createCompletedRequestSender, createExecutionObserver } from '../../../producers/index.ts';
import { anExecution } from '../../support/execution.ts';
import { createDirectory } from '../../support/fixtures.ts';
import { metricValue } from '../../support/metric-value.ts';

/** Where no Redis is. */
const redisUrl = 'redis://127.0.0.1:1';
const logger = { warn: () => undefined };

const producers = {
  observer: createExecutionObserver,
  sender: createCompletedRequestSender,
} as const;

const everyKind = Object.entries(producers) as [string, (typeof producers)[keyof typeof producers]][];

async function producerOptions(registry: Registry) {
  const spill = { dir: await createDirectory(), maxBytes: 10_000_000, fsyncMs: 500 };
  return { redisUrl, registry, logger, producer: { spill } };
}

test.each(everyKind)(
  '%s: after close its metrics are gone, and another one may have the registry',
  async (_kind, create) => {
    const registry = new Registry();
    const options = await producerOptions(registry);
    for (let round = 0; round < 3; round += 1) {
      const producer = create(options);
      expect(registry.getMetricsAsArray().length).toBeGreaterThan(5);
      await producer.close({ timeoutMs: 0 });
      expect(registry.getMetricsAsArray()).toEqual([]);
    }
  },
);

test.each(everyKind)(
  '%s: two share one registry, their numbers are added, and one may close before the other',
  async (_kind, create) => {
    const registry = new Registry();
    const options = await producerOptions(registry);
    const one = create(options);
    const other = create(options);
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    await one.close({ timeoutMs: 0 });
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(names);
    expect(await registry.metrics()).toContain('sluice_spill_bytes');
    await other.close({ timeoutMs: 0 });
    expect(registry.getMetricsAsArray()).toEqual([]);
  },
);

test('observer: without a queue its metrics go with it, too', async () => {
  const registry = new Registry();
  const observer = createExecutionObserver({ registry, logger });
  observer.record(anExecution());
  expect(await metricValue(registry, 'sluice_producer_records_total', { outcome: 'disabled' })).toBe(1);
  await observer.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
  // Not an error: a late record is counted in the accounts.
  observer.record(anExecution());
  expect(observer.stats().recorded).toBe(2);
});

test.each<[string, object]>([
  ['a URL that is none', { redisUrl: 'nonsense' }],
  ['a sample rate out of its range', { producer: { sampleRate: 2 } }],
])('observer: when it cannot be made for %s, nothing stays in the registry', async (_what, wrong) => {
  const registry = new Registry();
  const { producer, ...options } = await producerOptions(registry);
  const create = () =>
    createExecutionObserver({
      ...options,
      ...wrong,
      producer: { ...producer, ...('producer' in wrong ? (wrong.producer as object) : {}) },
    });
  expect(create).toThrow(RangeError);
  expect(registry.getMetricsAsArray()).toEqual([]);
});

test('sender: when it cannot be made, nothing stays in the registry', async () => {
  const registry = new Registry();
  const options = await producerOptions(registry);
  expect(() => createCompletedRequestSender({ ...options, redisUrl: 'nonsense' })).toThrow(RangeError);
  expect(registry.getMetricsAsArray()).toEqual([]);
});
