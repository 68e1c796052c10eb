import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listParts, parseCursor, toCursor } from '../../../queries/requests/request-cursor.ts';
import { UsageError } from '../../../shared/platform/errors.ts';

const position = {
  part: 'ended',
  createdAt: new Date('2026-03-01T12:00:00.123Z'),
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
} as const;

test('cursor: any position is read as it was written, and goes through a URL unchanged', () => {
  const anyPosition = fc.record({
    part: fc.constantFrom(...listParts),
    createdAt: fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    id: fc.uuid(),
  });
  fc.assert(
    fc.property(anyPosition, (one) => {
      const cursor = toCursor(one);
      expect(encodeURIComponent(cursor)).toBe(cursor);
      expect(parseCursor(cursor)).toEqual(one);
    }),
  );
});

const written = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each([
  '',
  'x',
  '%00',
  'null',
  written(null),
  written({}),
  written([1, 'ended', '2026-03-01T12:00:00.123Z']),
  written([2, 'ended', '2026-03-01T12:00:00.123Z', position.id]),
  written([1, 'running', '2026-03-01T12:00:00.123Z', position.id]),
  written([1, 'ended', 'yesterday', position.id]),
  written([1, 'ended', '2026-03-01T12:00:00.123Z', "' or true --"]),
  toCursor(position).slice(0, -4),
])('cursor: %j is refused by its name', (text) => {
  expect(() => parseCursor(text)).toThrow(UsageError);
  expect(() => parseCursor(text)).toThrow(JSON.stringify(text));
});

test('cursor: a refusal does not repeat a text without end', () => {
  expect(() => parseCursor('x'.repeat(10_000))).toThrow(/^.{1,300}$/);
});
