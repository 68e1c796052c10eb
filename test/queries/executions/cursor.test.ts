import { expect, test } from 'vitest';
import { parseCursor, toCursor } from '../../../queries/executions/cursor.ts';
import { UsageError } from '../../../shared/platform/errors.ts';

const position = { recordedAt: new Date('2026-03-01T12:00:00.123Z'), id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f' };

test('execution cursor: is read as it was written', () => {
  expect(parseCursor(toCursor(position))).toEqual(position);
});

test('execution cursor: goes through URLs unchanged', () => {
  expect(encodeURIComponent(toCursor(position))).toBe(toCursor(position));
});

test.each([
  '',
  'x',
  'W10',
  Buffer.from('[2,"2026-03-01T12:00:00Z","x"]').toString('base64url'),
  toCursor(position).slice(1),
])('execution cursor: %j is refused', (text) => {
  expect(() => parseCursor(text)).toThrow(UsageError);
});
