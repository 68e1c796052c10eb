import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { uuidV7 } from '../../../producers/core/uuid-v7.ts';

const maxMs = 2 ** 48 - 1;
const timeOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

test('uuid: has version 7, the RFC 9562 variant, and the time in front', () => {
  const id = uuidV7(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Date(timeOf(id)).toISOString()).toBe('2026-01-02T03:04:05.678Z');
});

test('uuid: the example of RFC 9562 has its time', () => {
  expect(uuidV7(0x017f22e279b0)).toMatch(/^017f22e2-79b0-7/);
});

test('uuid: of any time that 48 bits hold, it is valid and keeps the millisecond', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: maxMs }), (ms) => {
      const id = uuidV7(ms);
      expect(z.uuidv7().safeParse(id).success).toBe(true);
      expect(timeOf(id)).toBe(ms);
    }),
  );
});

test('uuid: a later millisecond sorts later as text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: maxMs - 1 }), (ms) => {
      expect(uuidV7(ms) < uuidV7(ms + 1)).toBe(true);
    }),
  );
});

test.each([
  [1.9, 1],
  [-5, 0],
])('uuid: a time of %d counts as %d', (given, counted) => {
  const id = uuidV7(given);
  expect(timeOf(id)).toBe(counted);
  expect(z.uuidv7().safeParse(id).success).toBe(true);
});

test('uuid: 100,000 of one millisecond are all different', () => {
  expect(new Set(Array.from({ length: 100_000 }, () => uuidV7(1)))).toHaveProperty('size', 100_000);
});
