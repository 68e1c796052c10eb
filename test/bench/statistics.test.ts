import { expect, test } from 'vitest';
import { regress } from '../../bench/statistics.ts';

const pointsOf = (values: readonly number[]) => values.map((y, index) => ({ x: index + 1, y }));

test('regression: points on a line have its slope, and no error', () => {
  const { slope, standardError } = regress(pointsOf([4, 7, 10, 13]));
  expect(slope).toBeCloseTo(3, 10);
  expect(standardError).toBeCloseTo(0, 6);
});

test('regression: readings that are independent have the standard error of least squares', () => {
  // The residuals are -0.8, 0.6, 1, -0.6 and -0.2: neighbours are no more alike than others.
  const { slope, standardError } = regress(pointsOf([2, 4, 5, 4, 5]));
  expect(slope).toBeCloseTo(0.6, 10);
  expect(standardError).toBeCloseTo(Math.sqrt(2.4 / 3 / 10), 10);
});

test('regression: readings that follow their neighbours tell less, so their error is larger', () => {
  const alternating = regress(pointsOf([1, -1, 1, -1, 1, -1, 1, -1]));
  const inRuns = regress(pointsOf([1, 1, -1, -1, 1, 1, -1, -1]));
  expect(Math.abs(inRuns.slope)).toBeLessThan(2 * inRuns.standardError);
  const plain = Math.sqrt(residualSquares([1, 1, -1, -1, 1, 1, -1, -1], inRuns.slope) / 6 / 42);
  expect(inRuns.standardError).toBeGreaterThan(plain);
  expect(alternating.standardError).toBeCloseTo(
    Math.sqrt(residualSquares([1, -1, 1, -1, 1, -1, 1, -1], alternating.slope) / 6 / 42),
    10,
  );
});

/** Of eight readings whose mean is 0, around the line with this slope. */
function residualSquares(values: readonly number[], slope: number): number {
  return values.reduce((sum, y, index) => sum + (y - slope * (index + 1 - 4.5)) ** 2, 0);
}
