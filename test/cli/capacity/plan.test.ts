import { expect, test } from 'vitest';
import type { Costs } from '../../../cli/capacity/costs.ts';
import { type Load, planCapacity } from '../../../cli/capacity/plan.ts';

/** Costs that make figures which can be checked in one's head: a record of 1 KiB takes 100 µs of each process and 1 KiB of each place. */
const cost = (perRecord: number, perKib: number) => ({ perRecord, perKib });
const costs: Costs = {
  producer: cost(60, 40),
  worker: cost(50, 50),
  redis: cost(10, 10),
  postgres: cost(100, 100),
  walBytes: cost(0, 1_000),
  storedBytes: cost(0, 1_024),
  queuedBytes: cost(0, 1_024),
};
const load: Load = {
  recordsPerSecond: 7_000,
  bytes: 1_024,
  outageMinutes: 60,
  retentionDays: 30,
  redisGib: 32,
  postgresCores: 4,
  postgresTib: 16,
  walMbPerSecond: 100,
};
const limitOf = (name: string, changes: Partial<Load> = {}) =>
  planCapacity({ ...load, ...changes }, costs).limits.find((limit) => limit.name === name);

test('capacity: one core is used for 70 % of its time', () => {
  expect(limitOf('CPU of a worker')).toMatchObject({ cost: '100 µs', perUnit: 7_000, needed: 1 });
  expect(limitOf('CPU of a worker', { recordsPerSecond: 7_001 })).toMatchObject({ needed: 2 });
  expect(limitOf('CPU of Redis')).toMatchObject({ perUnit: 35_000, needed: 1 });
  expect(limitOf('CPU of PostgreSQL')).toMatchObject({ perUnit: 14_000, needed: 1 });
});

test('capacity: bytes cost what a line through two sizes says', () => {
  expect(limitOf('CPU of a worker', { bytes: 4_096 })).toMatchObject({ cost: '250 µs', perUnit: 2_800 });
});

test('capacity: Redis holds an outage, disks hold the retention', () => {
  // 32 GiB by 3,600 s by 1 KiB
  expect(limitOf('memory of Redis')?.perUnit).toBeCloseTo(9_320.7, 0);
  expect(limitOf('memory of Redis', { outageMinutes: 120 })).toMatchObject({ needed: 2 });
  // 16 TiB by 30 d by 1 KiB
  expect(limitOf('disk of PostgreSQL')?.perUnit).toBeCloseTo(6_628, 0);
  expect(planCapacity(load, costs).postgres).toMatchObject({ servers: 1, cores: 2, walMbPerSecond: 7 });
});

test('capacity: what is reached first comes first', () => {
  const { limits } = planCapacity(load, costs);
  const rates = limits.map(({ perUnit }) => perUnit);
  expect(rates).toEqual([...rates].sort((a, b) => a - b));
  expect(limits[0]?.name).toBe('disk of PostgreSQL');
});

test('capacity: there is a primary for each shard, and never more shards than a queue may have', () => {
  expect(planCapacity({ ...load, recordsPerSecond: 100_000, outageMinutes: 1 }, costs).redis).toMatchObject({
    primaries: 3,
    shards: 3,
  });
  expect(planCapacity({ ...load, recordsPerSecond: 100_000_000 }, costs).redis).toMatchObject({ shards: 256 });
});
