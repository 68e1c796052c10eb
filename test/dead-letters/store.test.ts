import { expect, test } from 'vitest';
import { toDeadLetter, toSignature } from '../../dead-letters/store.ts';

const origin = { queue: 'execution-log' as const, contractVersion: 1, jobId: 'job', producer: 'p' };

const id = 'ABCDEF01-0000-4000-8000-000000000001';

test('dead letter: the record id and its text name it, and a record without an id is named by its text', () => {
  const [mine, again, changed] = [`{"id":"${id}"}`, `{"id":"${id}"}`, `{"id":"${id}","a":1}`].map(
    (payload) => toDeadLetter(payload, '22P05', 'r', origin).recordKey,
  );
  expect(mine).toMatch(/^abcdef01-0000-4000-8000-000000000001\.[0-9a-f]{16}$/);
  expect(again).toBe(mine);
  expect(changed).toMatch(/^abcdef01-0000-4000-8000-000000000001\.[0-9a-f]{16}$/);
  expect(changed).not.toBe(mine);
  const [first, same, other] = ['{"a":1}', '{"a":1}', '{"a":2}'].map(
    (payload) => toDeadLetter(payload, '22P05', 'r', origin).recordKey,
  );
  expect(first).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(same).toBe(first);
  expect(other).not.toBe(first);
});

test.each([
  'null',
  '5',
  '"text"',
  '[]',
  '{"id":7}',
  '{"id":""}',
  '{"id":"undefined"}',
  `{"id":"${id} "}`,
  '{"id":"a\\u0000b"}',
])('dead letter: %s has no id that could name it', (payload) => {
  expect(toDeadLetter(payload, '22P05', 'r', origin).recordKey).toMatch(/^sha256:/);
});

test('dead letter: a reason with NUL and without end can be stored', () => {
  const { reason } = toDeadLetter('{}', '22P05', `a\0b${'x'.repeat(10_000)}`, origin);
  expect(reason).toHaveLength(2_000);
  expect(reason).not.toContain('\0');
});

test.each([
  ['reason', 1_990],
  ['signature', 180],
] as const)('dead letter: a %s that is cut within a character is still text', (field, from) => {
  for (let chars = from; chars < from + 20; chars += 1) {
    const deadLetter = toDeadLetter('{}', '22P05', `${'x'.repeat(chars)}${'😀'.repeat(100)}`, origin);
    expect(deadLetter[field].isWellFormed()).toBe(true);
  }
});

test('signature: dead letters of one cause have the same, whatever their values', () => {
  const one = toSignature('22P02', 'invalid input syntax for type integer: "abc" in row 17');
  expect(toSignature('22P02', 'invalid input syntax for type integer: "x\'y" in row 4')).toBe(one);
  expect(toSignature('22P02', 'invalid input syntax for type uuid: "abc" in row 17')).not.toBe(one);
  expect(toSignature('22003', 'invalid input syntax for type integer: "abc" in row 17')).not.toBe(one);
});
