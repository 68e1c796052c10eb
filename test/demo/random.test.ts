import { describe, expect, test } from 'vitest';
import { createRandom } from '../../demo/random.ts';

const draw = (seed: number, count: number) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random());
};

describe('random', () => {
  test('random: the same seed gives the same numbers', () => {
    expect(draw(1, 5)).toEqual(draw(1, 5));
  });

  test('random: neighbouring seeds give different numbers', () => {
    expect(draw(1, 5)).not.toEqual(draw(2, 5));
  });

  test('random: 10,000 numbers lie in [0, 1) and fill each tenth evenly', () => {
    const numbers = draw(42, 10_000);
    const tenths = new Array<number>(10).fill(0);
    for (const number of numbers) {
      expect(number).toBeGreaterThanOrEqual(0);
      expect(number).toBeLessThan(1);
      const tenth = Math.floor(number * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(900);
  });

  test('random: only the low 32 bits of the seed count', () => {
    expect(draw(7 + 2 ** 32, 3)).toEqual(draw(7, 3));
  });
});
