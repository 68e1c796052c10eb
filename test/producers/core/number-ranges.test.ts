import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberRanges } from '../../../producers/core/number-ranges.ts';

test('number ranges: they hold what a set holds, in as few runs as there are', () => {
  const moves = fc.array(fc.record({ number: fc.integer({ min: 1, max: 30 }), isIn: fc.boolean() }), { maxLength: 80 });
  fc.assert(
    fc.property(moves, (steps) => {
      const [ranges, set] = [new NumberRanges(), new Set<number>()];
      for (const { number, isIn } of steps) {
        if (isIn) ranges.add(number);
        else ranges.delete(number);
        if (isIn) set.add(number);
        else set.delete(number);
      }
      const numbers = [...set].sort((a, b) => a - b);
      expect([...ranges]).toEqual(numbers);
      const firsts = numbers.filter((number) => !set.has(number - 1));
      expect(ranges.list(100).map(([first]) => first)).toEqual(firsts);
      expect(ranges.runs).toBe(firsts.length);
      for (let number = 0; number <= 31; number += 1) {
        expect(ranges.has(number)).toBe(set.has(number));
        let free = number;
        while (set.has(free)) free += 1;
        expect(ranges.nextFree(number)).toBe(free);
      }
    }),
  );
});

test('number ranges: of many, the first runs are listed, and the oldest one can be forgotten', () => {
  const ranges = new NumberRanges();
  for (const number of [1, 2, 5, 9, 10, 11]) ranges.add(number);
  expect(ranges.list(2)).toEqual([
    [1, 2],
    [5, 5],
  ]);
  ranges.deleteFirstRun();
  expect([...ranges]).toEqual([5, 9, 10, 11]);
  ranges.clear();
  expect(ranges.list(2)).toEqual([]);
});
