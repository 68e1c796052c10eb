import { expect, test } from 'vitest';
import { sumNeighbours, toSparkline } from '../../../cli/output/sparkline.ts';

test('sparkline: the highest is full, nothing is a dot, and a little is not nothing', () => {
  expect(toSparkline([0, 1, 50, 100], 10)).toBe('·▁▄█');
  expect(toSparkline([0, 0.001, 1e9], 10)).toBe('·▁█');
  expect(toSparkline([0, 0], 10)).toBe('··');
  expect(toSparkline([5, 5], 10)).toBe('██');
  expect(toSparkline([], 10)).toBe('');
});

test('sparkline: counts that do not fit are added up, and none is left out', () => {
  expect(sumNeighbours([1, 2, 3, 4, 5], 3)).toEqual([3, 7, 5]);
  expect(sumNeighbours([1, 2, 3], 3)).toEqual([1, 2, 3]);
  expect(sumNeighbours([1, 2, 3], 0)).toEqual([6]);
  expect(
    toSparkline(
      Array.from({ length: 120 }, () => 1),
      50,
    ),
  ).toHaveLength(40);
});
