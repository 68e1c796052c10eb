import { expect, test } from 'vitest';
import { isTooFew, isTooFewForPercentile, toFailureRate, z95 } from '../../../queries/executions/estimates.ts';

test('failure rate: ok runs count with their weight, failures once', () => {
  // 1,000 runs at a sample of 5 %: 10 failed, about 50 rows of the others are there.
  const rate = toFailureRate({ rows: 50, runs: 1_000, variance: 50 * 20 * 19 }, { rows: 10, runs: 10 });
  expect(rate.value).toBeCloseTo(10 / 1_010, 12);
  expect(rate.margin).toBeCloseTo((z95 * 10 * Math.sqrt(19_000)) / 1_010 ** 2, 12);
  expect(rate).toMatchObject({ rows: 60, tooFew: false });
});

test('failure rate: where every run was kept it is exact', () => {
  expect(toFailureRate({ rows: 75, runs: 75, variance: 0 }, { rows: 25, runs: 25 })).toEqual({
    value: 0.25,
    margin: 0,
    rows: 100,
    tooFew: false,
  });
});

test('failure rate: without an ok row nobody knows how many were not kept', () => {
  const rate = toFailureRate({ rows: 0, runs: 0, variance: 0 }, { rows: 40, runs: 40 });
  expect(rate).toEqual({ value: 1, margin: null, rows: 40, tooFew: false });
});

test('failure rate: no rows, no rate', () => {
  const none = { rows: 0, runs: 0 };
  expect(toFailureRate({ ...none, variance: 0 }, none)).toEqual({ value: null, margin: null, rows: 0, tooFew: true });
});

test('too few: below 30 rows for a rate, fewer than five beyond it for a percentile', () => {
  expect([29, 30].map(isTooFew)).toEqual([true, false]);
  const edges: [rows: number, share: number][] = [
    [10, 0.5],
    [100, 0.95],
    [500, 0.99],
  ];
  for (const [rows, share] of edges) {
    expect([rows - 1, rows].map((count) => isTooFewForPercentile(count, share))).toEqual([true, false]);
  }
});
