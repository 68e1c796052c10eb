import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../../shared/platform/backoff.ts';

const backoff = { baseMs: 100, maxMs: 5_000 };
/** The highest number that Math.random can give, near enough. */
const highest = () => 0.999_999_999;

test.each([
  [0, 100],
  [1, 200],
  [2, 400],
  [5, 3_200],
  [6, 5_000],
  [7, 5_000],
  [1_000, 5_000],
  [Number.MAX_VALUE, 5_000],
  [Number.POSITIVE_INFINITY, 5_000],
])('backoff: after failure %d the wait is below %d ms', (attempt, boundMs) => {
  expect(backoffMs(backoff, attempt, highest)).toBeCloseTo(boundMs, 3);
});

test('backoff: full jitter starts at zero', () => {
  for (const attempt of [0, 1, 50]) expect(backoffMs(backoff, attempt, () => 0)).toBe(0);
});

test('backoff: the draw decides within the bound', () => {
  expect(backoffMs(backoff, 2, () => 0.25)).toBe(100);
});

test('backoff: a base above the cap is capped', () => {
  expect(backoffMs({ baseMs: 900, maxMs: 100 }, 0, () => 0.5)).toBe(50);
});

test('backoff: it is one draw, a finite wait, within the cap, and its bound never shrinks', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.nat(200),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (baseMs, maxMs, attempt, drawn) => {
        let draws = 0;
        const random = () => {
          draws += 1;
          return drawn;
        };
        const waitMs = backoffMs({ baseMs, maxMs }, attempt, random);
        expect(draws).toBe(1);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(maxMs);
        expect(backoffMs({ baseMs, maxMs }, attempt + 1, random)).toBeGreaterThanOrEqual(waitMs);
      },
    ),
  );
});
