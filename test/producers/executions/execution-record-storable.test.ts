import { expect, test } from 'vitest';
import { executionLimits } from '../../../shared/contracts/execution.ts';
import { anExecution } from '../../support/execution.ts';
import { recordOf, texts, withField } from '../../support/execution-record.ts';
import { unreadableObjects } from '../../support/unreadable.ts';

test.each(texts)('poison: NUL and a lone surrogate in %s are replaced, and said so', (name) => {
  const record = recordOf(withField(name, 'a\0b\ud800'));
  expect(record[name]).toBe('a\uFFFDb\uFFFD');
  expect(record.notes).toBe(`${name}: NUL or a lone surrogate replaced`);
});

test.each(texts)('poison: a %s that is too long is cut, and said so', (name) => {
  const maxChars = name === 'errorMessage' ? executionLimits.messageChars : executionLimits.identifierChars;
  const record = recordOf(withField(name, 'x'.repeat(maxChars + 1)));
  expect(record[name]).toBe('x'.repeat(maxChars));
  expect(record.notes).toBe(`${name}: cut from ${maxChars + 1} to ${maxChars} characters`);
  expect(recordOf(withField(name, 'x'.repeat(maxChars)))).not.toHaveProperty('notes');
});

test('poison: a cut through a surrogate pair leaves no half of it', () => {
  expect(recordOf(withField('realmId', `${'x'.repeat(511)}😀`)).realmId).toBe(`${'x'.repeat(511)}\uFFFD`);
});

test.each<[kind: string, value: unknown, stored: string]>([
  ['number', 42, '42'],
  ['number', Number.NaN, 'NaN'],
  ['bigint', 42n, '42'],
  ['boolean', true, 'true'],
  ['array', ['a', 'b'], 'a,b'],
  ['object', {}, '[object Object]'],
  ['object', new Date(Number.NaN), 'Invalid Date'],
  ['object', Object.create(null), '[object]'],
  ['symbol', Symbol('s'), 'Symbol(s)'],
])('wrong kind: for text, a %s such as %o is stored as text, and said so', (kind, value, stored) => {
  for (const name of texts) {
    const record = recordOf(withField(name, value));
    expect(record[name]).toBe(stored);
    expect(record.notes).toBe(`${name}: ${kind} stored as text`);
  }
});

test.each<[value: unknown, stored: number, note: string]>([
  ['3.5', 3.5, 'string stored as a number'],
  [' 12 ', 12, 'string stored as a number'],
  [7n, 7, 'bigint stored as a number'],
])('wrong kind: for a decimal, %o is stored as a number, and said so', (value, stored, note) => {
  expect(recordOf(withField('points', value))).toMatchObject({ points: stored, notes: `points: ${note}` });
  expect(recordOf(withField('durationMs', value))).toMatchObject({ durationMs: stored, notes: `durationMs: ${note}` });
});

test.each([
  true,
  false,
  '',
  ' ',
  'twelve',
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  '1e999',
  10n ** 400n,
  [],
  [1],
  {},
  new Date(0),
  Symbol('s'),
])('wrong kind: %o is no number, so it is left out, and said so', (value) => {
  const points = recordOf(withField('points', value));
  expect(points).not.toHaveProperty('points');
  expect(points.notes).toMatch(/^points: ".*" is no number that can be stored, left out$/);
  expect(recordOf(withField('durationMs', value))).toMatchObject({ durationMs: 0, notes: expect.any(String) });
  expect(recordOf(withField('strategyVersion', value))).toMatchObject({
    strategyVersion: 0,
    notes: expect.any(String),
  });
  expect(recordOf(withField('nodesExecuted', value))).toMatchObject({ nodesExecuted: 0, notes: expect.any(String) });
  expect(recordOf(withField('attempt', value))).toMatchObject({ attempt: 1, notes: expect.any(String) });
});

test('wrong kind: what is quoted in the note can itself be stored', () => {
  expect(recordOf(withField('points', 'a\0\ud800')).notes).toBe(
    String.raw`points: "a\u0000\ud800" is no number that can be stored, left out`,
  );
});

test.each<[name: 'strategyVersion' | 'nodesExecuted' | 'attempt', value: unknown, stored: number, note: string]>([
  ['strategyVersion', 2 ** 31, 2_147_483_647, '2147483648 stored as 2147483647'],
  ['strategyVersion', -(2 ** 31), -2_147_483_647, '-2147483648 stored as -2147483647'],
  ['strategyVersion', 1.6, 2, '1.6 stored as 2'],
  ['strategyVersion', 1e300, 2_147_483_647, '1e+300 stored as 2147483647'],
  ['nodesExecuted', -1, 0, '-1 stored as 0'],
  ['nodesExecuted', 1e12, 2_147_483_647, '1000000000000 stored as 2147483647'],
  ['attempt', 0, 1, '0 stored as 1'],
  ['attempt', -7, 1, '-7 stored as 1'],
  ['attempt', 0.4, 1, '0.4 stored as 1'],
  ['attempt', '3', 3, 'string stored as a number'],
])('wrong kind: of %s, %o is brought into range as %d, and said so', (name, value, stored, note) => {
  expect(recordOf(withField(name, value))).toMatchObject({ [name]: stored, notes: `${name}: ${note}` });
});

test.each<[name: 'strategyVersion' | 'nodesExecuted' | 'attempt', value: number]>([
  ['strategyVersion', -2_147_483_647],
  ['strategyVersion', 2_147_483_647],
  ['nodesExecuted', 0],
  ['attempt', 1],
])('integers: of %s, %d is in range', (name, value) => {
  const record = recordOf(withField(name, value));
  expect(record[name]).toBe(value);
  expect(record).not.toHaveProperty('notes');
});

test.each<[kind: string, poison: unknown, stored: unknown]>([
  ['NUL', 'a\0', 'a\uFFFD'],
  ['a lone surrogate', '\udc00', '\uFFFD'],
  ['NaN', Number.NaN, 'NaN'],
  ['Infinity', Number.POSITIVE_INFINITY, 'Infinity'],
  ['-Infinity', Number.NEGATIVE_INFINITY, '-Infinity'],
  ['a BigInt', 5n, '5'],
  ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['a function', () => 1, '[function]'],
])('poison: %s in trace or input is made storable, and said so', (_kind, poison, stored) => {
  const traced = recordOf(withField('trace', [{ nodeId: 'n', type: 'literal', value: poison }]));
  expect(traced.trace).toEqual([{ nodeId: 'n', type: 'literal', value: stored }]);
  expect(traced.notes).toMatch(/^trace\[0\]\.value: /);
  const given = recordOf(withField('input', { a: { b: poison } }));
  expect(given.input).toEqual({ a: { b: stored } });
  expect(given.notes).toMatch(/^input\.a\.b: /);
});

test('poison: a key with NUL is made storable, and said so', () => {
  expect(recordOf(withField('input', { 'k\0': 1 }))).toMatchObject({
    input: { 'k\uFFFD': 1 },
    notes: 'input key: NUL or a lone surrogate replaced',
  });
});

test('poison: a cycle is cut, and said so', () => {
  const input: Record<string, unknown> = { a: 1 };
  input['self'] = input;
  expect(recordOf(withField('input', input))).toMatchObject({
    input: { a: 1, self: '[circular]' },
    notes: 'input.self: cycle cut',
  });
});

test('poison: nesting that PostgreSQL cannot parse is cut, and said so', () => {
  let input: unknown = 'bottom';
  for (let level = 0; level < 10_000; level += 1) input = { a: input };
  const record = recordOf(withField('input', input));
  expect(JSON.stringify(record.input).match(/\{/g)).toHaveLength(executionLimits.depth);
  expect(record.notes).toMatch(/cut, nested too deeply$/);
});

test('poison: of many changes the first five are told and the others counted', () => {
  const { notes } = recordOf(withField('input', new Array(12).fill(Number.NaN)));
  expect(notes).toBe(
    `${[0, 1, 2, 3, 4].map((n) => `input[${n}]: NaN stored as text`).join('; ')}; 7 more values changed`,
  );
});

test('poison: every kind at once, in every field, still makes a record', () => {
  const poison = ['\0', '\ud800', Number.NaN, 5n, new Date(Number.NaN), () => 1, Symbol('s'), new Map([[{}, 1n]])];
  for (const value of poison) {
    const fields = Object.fromEntries(Object.keys(anExecution()).map((name) => [name, value]));
    expect(recordOf({ ...fields, id: value, attempt: value, astHash: value })).toMatchObject({
      notes: expect.any(String),
    });
  }
});

test.each(unreadableObjects())('poison: %s, in whatever field, does not cost the record', (_kind, value) => {
  for (const name of [...texts, 'id', 'recordedAt', 'status', 'points', 'nodesExecuted', 'trace', 'input']) {
    expect(recordOf(withField(name, value)), name).toHaveProperty('strategyVersion', 3);
  }
});

test('poison: notes are cut, well-formed, when there is more to say than fits', () => {
  const { notes } = recordOf(withField('input', { ['😀'.repeat(2_000)]: Number.NaN }));
  expect(notes?.length).toBeLessThanOrEqual(executionLimits.notesChars);
  expect(notes).toMatch(/…$/);
});
