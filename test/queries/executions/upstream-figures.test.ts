import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  numpyPercentile,
  sixDigits,
  upstreamDurationBins,
  upstreamPointsBins,
} from '../../../queries/executions/upstream-figures.ts';
import { toStatusBreakdown } from '../../../queries/executions/upstream-unweighted.ts';

test('upstream statuses (28, 29): known ones have their own count, the others one together, and all are in the total', () => {
  const counted = ['ok', 'error', 'timeout', 'limit', 'cancelled', 'constructor'];
  expect(toStatusBreakdown(counted.map((status, index) => ({ status, count: index + 1 })))).toEqual({
    ok: 1,
    error: 2,
    timeout: 3,
    limit: 4,
    other: 11,
    total: 21,
  });
});

test('upstream statuses (30): nothing counted is zeros', () => {
  expect(toStatusBreakdown([])).toEqual({ ok: 0, error: 0, timeout: 0, limit: 0, other: 0, total: 0 });
});

test('upstream percentile (31, 32, 33, 34): linear between neighbours, 0 of nothing, the value itself of one', () => {
  const tens = [50, 10, 40, 20, 30];
  expect(numpyPercentile(tens, 0.5)).toBe(30);
  expect(numpyPercentile(tens, 0.95)).toBeCloseTo(48, 10);
  expect(numpyPercentile([], 0.95)).toBe(0);
  expect(numpyPercentile([7], 0.99)).toBe(7);
});

test('upstream percentile: lies between the smallest and the largest, and grows with the share', () => {
  const values = fc.array(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      const value = numpyPercentile(values, share);
      expect(value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-3);
      expect(value).toBeLessThanOrEqual(numpyPercentile(values, 1) + 1e-3);
    }),
  );
});

test('upstream duration bins (35): thirteen, two short runs in the first and a long one in the last', () => {
  const bins = upstreamDurationBins([1, 5, 9_999]);
  expect(bins).toHaveLength(13);
  expect(bins[0]).toEqual({ label: '≤5ms', upperBound: 5, count: 2 });
  expect(bins[12]).toEqual({ label: '>5000ms', upperBound: null, count: 1 });
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(3);
});

test('upstream duration bins (36): all are there without a value', () => {
  expect(upstreamDurationBins([]).map(({ count }) => count)).toEqual(new Array(13).fill(0));
});

test('upstream points bins (37): ten, both ends have a value', () => {
  const bins = upstreamPointsBins([0, 1, 2, 3, 4, 5, 6, 7, 8, 10]);
  expect(bins).toHaveLength(10);
  expect(bins[0]).toEqual({ label: '0–1', upperBound: 1, count: 1 });
  expect(bins[9]).toEqual({ label: '9–10', upperBound: 10, count: 1 });
  expect(bins[1]?.count).toBe(1);
});

test('upstream points bins (38): equal values are one bin, and none say 0', () => {
  expect(upstreamPointsBins([5, 5, 5])).toEqual([{ label: '5', upperBound: 5, count: 3 }]);
  expect(upstreamPointsBins([])).toEqual([{ label: '0', upperBound: 0, count: 0 }]);
});

test.each([
  [0, '0'],
  [0.1 + 0.2, '0.3'],
  [1234.5678, '1234.57'],
  [999_999.6, '1e+06'],
  [1_234_567, '1.23457e+06'],
  [-0.000012345678, '-1.23457e-05'],
  [0.0001, '0.0001'],
])('upstream labels: %d is %s', (value, text) => {
  expect(sixDigits(value)).toBe(text);
});
