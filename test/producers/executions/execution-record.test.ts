import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toExecutionRecord, toStatus } from '../../../producers/executions/execution-record.ts';
import { executionLimits } from '../../../shared/contracts/execution.ts';
import { anyText, anyValue } from '../../support/any-value.ts';
import { anExecution } from '../../support/execution.ts';
import { context, entries, recordOf, texts, withField } from '../../support/execution-record.ts';
import { unreadableObjects } from '../../support/unreadable.ts';

test('record: a plain execution is stored field by field, without a note', () => {
  const execution = anExecution({
    id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
    recordedAt: '2026-01-02T03:04:05.678Z',
    parentStrategyId: 'default',
    astHash: 'abc',
    attempt: 2,
  });
  expect(recordOf(execution)).toEqual({ ...execution, traceLength: 2, sampled: true, sampleRate: 0.25 });
});

test('record: only the required fields make a whole record', () => {
  const required = {
    strategyId: 's',
    strategyVersion: 1,
    strategyType: 'DSL_FULL',
    status: 'ok',
    durationMs: 1.5,
    nodesExecuted: 0,
  };
  expect(recordOf(required)).toEqual({
    ...required,
    id: expect.stringMatching(/^[0-9a-f-]{14}7/),
    recordedAt: '2026-03-04T05:06:07.089Z',
    sampled: true,
    sampleRate: 0.25,
    attempt: 1,
  });
});

test('record: fields that are null are left out', () => {
  const absent = ['realmId', 'errorCode', 'errorMessage', 'points', 'caseName', 'trace', 'astHash', 'attempt'];
  const record = recordOf({ ...anExecution(), ...Object.fromEntries(absent.map((name) => [name, null])) });
  expect(record).toMatchObject({ attempt: 1 });
  expect(Object.keys(record)).not.toEqual(expect.arrayContaining(['realmId']));
  expect(record).not.toHaveProperty('points');
  expect(record).not.toHaveProperty('trace');
  expect(record).not.toHaveProperty('traceLength');
  expect(record).not.toHaveProperty('notes');
});

test('record: null is an input like any other', () => {
  expect(recordOf(withField('input', null))).toHaveProperty('input', null);
  expect(recordOf(withField('input', undefined))).not.toHaveProperty('input');
});

test('weight: an ok run carries the rate in force, and is sampled', () => {
  expect(recordOf(anExecution(), { sampleRate: 0.05 })).toMatchObject({ sampled: true, sampleRate: 0.05 });
});

test.each(['error', 'timeout', 'limit', 'cancelled'] as const)(
  'weight: a run that ended with %s stands for itself',
  (status) => {
    expect(recordOf(anExecution({ status }), { sampleRate: 0 })).toMatchObject({
      status,
      sampled: false,
      sampleRate: 1,
    });
  },
);

test('status: an unknown one is a failure, and the note keeps what it was', () => {
  expect(recordOf(withField('status', 'exploded'))).toMatchObject({
    status: 'error',
    sampled: false,
    sampleRate: 1,
    notes: 'status "exploded" is not known, stored as error',
  });
});

test.each([undefined, null, 'OK', ['ok'], 1, {}, Symbol('ok'), new String('ok')])(
  'status: %o is an error',
  (status) => {
    expect(toStatus(status)).toBe('error');
    expect(recordOf(withField('status', status))).toMatchObject({
      status: 'error',
      notes: expect.stringContaining('is not known, stored as error'),
    });
  },
);

test('id: a UUID of the caller is kept', () => {
  for (const id of ['c7f3d5f0-4f5a-4a50-8a30-0f3a3f9f7a10', 'C7F3D5F0-4F5A-1A50-8A30-0F3A3F9F7A10'])
    expect(recordOf(anExecution({ id })).id).toBe(id);
});

test.each([
  'abc',
  '',
  'c7f3d5f0-4f5a-4a50-8a30-0f3a3f9f7a10 ',
  '00000000-0000-0000-0000-000000000000',
  'c7f3d5f0-4f5a-9a50-8a30-0f3a3f9f7a10',
  'c7f3d5f0-4f5a-4a50-1a30-0f3a3f9f7a10',
  'c7f3d5f0-4f5a-4a50-8a30-0f3a3f9f7a10\n',
  'c7f3d5f04f5a4a508a300f3a3f9f7a10',
  17,
  {},
  '\0',
])('id: %j is none, so one of the moment is made, and said so', (id) => {
  const record = recordOf(withField('id', id));
  expect(record.id).toMatch(/^019cb73d-3271-7/);
  expect(record.notes).toMatch(/^id: ".*" is no UUID, a new one was made$/);
});

test('id: without one, none is missed', () => {
  for (const id of [undefined, null]) {
    const record = recordOf(withField('id', id));
    expect(record.id).toMatch(/^019cb73d-3271-7/);
    expect(record).not.toHaveProperty('notes');
  }
});

test.each([
  ['a Date', new Date(Date.UTC(2020, 0, 1)), '2020-01-01T00:00:00.000Z'],
  ['ms since 1970', Date.UTC(2020, 0, 1), '2020-01-01T00:00:00.000Z'],
  ['ISO 8601 with an offset', '2020-01-01T02:00:00+02:00', '2020-01-01T00:00:00.000Z'],
  ['the beginning of time', 0, '1970-01-01T00:00:00.000Z'],
  ['a fraction of a ms', 1.75, '1970-01-01T00:00:00.001Z'],
  ['a clock that is fast by years', Date.UTC(2040, 0, 1), '2040-01-01T00:00:00.000Z'],
  ['the last day of the calendar', Date.UTC(9999, 11, 31), '9999-12-31T00:00:00.000Z'],
])('time: %s is kept, whatever the clock says', (_kind, recordedAt, stored) => {
  const record = recordOf(withField('recordedAt', recordedAt));
  expect(record.recordedAt).toBe(stored);
  if (stored.startsWith('2020')) expect(record).not.toHaveProperty('notes');
  else expect(record.notes).toMatch(/^recordedAt: .* is implausible, /);
});

test.each([
  [
    1_767_312_245,
    'recordedAt: 1970-01-21T10:55:12.245Z is implausible, before 2000; were seconds given for milliseconds?',
  ],
  ['2099-01-01T00:00:00Z', 'recordedAt: 2099-01-01T00:00:00.000Z is implausible, more than a day ahead'],
])('time: %s cannot be, so it is stored and said so', (recordedAt, notes) => {
  expect(recordOf(withField('recordedAt', recordedAt))).toMatchObject({ notes });
});

test('duration: one below 0 is stored, and said so', () => {
  expect(recordOf(withField('durationMs', -5))).toMatchObject({ durationMs: -5, notes: 'durationMs: -5 is below 0' });
});

test.each([
  ['an invalid Date', new Date(Number.NaN)],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a time before 1970', -1],
  ['a time after the year 9999', 253_402_300_800_000],
  ['more ms than a Date holds', 1e300],
  ['words', 'yesterday'],
  ['empty text', ''],
  ['a boolean', true],
  ['a BigInt', 5n],
  ['a list', [2020]],
])('time: %s is none, so the moment of the call is stored, and said so', (_kind, recordedAt) => {
  expect(recordOf(withField('recordedAt', recordedAt))).toMatchObject({
    recordedAt: '2026-03-04T05:06:07.089Z',
    notes: expect.stringMatching(/^recordedAt: ".*" is no time, the time of the call is stored$/),
  });
});

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

test('record: what the caller changes afterwards is not in it', () => {
  const execution = anExecution({ trace: entries(2, { deep: ['before'] }), input: { deep: ['before'] } });
  const { json } = toExecutionRecord(execution, context);
  const before = JSON.parse(json);
  (execution.input as { deep: string[] }).deep[0] = 'after';
  (execution.trace as unknown[])[0] = 'after';
  execution.strategyId = 'after';
  expect(JSON.parse(json)).toEqual(before);
  expect(json).not.toContain('after');
});

test('record: the execution of the caller is not changed', () => {
  const execution = { ...anExecution({ trace: entries(300, 'v') }), realmId: 5, input: { a: [1n] } };
  const copy = structuredClone(execution);
  recordOf(execution);
  expect(execution).toEqual(copy);
});

const anyFields = fc.record(
  Object.fromEntries(
    [
      ...texts,
      'id',
      'recordedAt',
      'status',
      'strategyVersion',
      'points',
      'durationMs',
      'nodesExecuted',
      'attempt',
      'trace',
      'input',
    ].map((name) => [
      name,
      fc.oneof(anyValue, anyText, fc.string({ maxLength: 6_000, size: 'max' }), fc.array(anyValue)),
    ]),
  ),
  { requiredKeys: [] },
);

test('record: whatever comes in, as any field, the record is valid, storable and within its size', () => {
  fc.assert(
    fc.property(
      anyFields,
      fc.integer({ min: -1, max: 5 }),
      fc.double({ min: 1e-9, max: 1, noNaN: true }),
      (fields, traceLimit, sampleRate) => {
        recordOf(fields, { traceLimit, sampleRate });
      },
    ),
    { numRuns: 500 },
  );
});

test('record: whatever comes in, instead of an execution, the record is valid too', () => {
  fc.assert(
    fc.property(
      anyValue.filter((value) => value !== null && value !== undefined),
      (value) => {
        expect(recordOf(value)).toMatchObject({ status: expect.any(String), strategyId: expect.any(String) });
      },
    ),
    { numRuns: 500 },
  );
});

test('record: an input whose text would be longer than a string can be is cut, and nothing is thrown', () => {
  const text = 'x'.repeat(60_000);
  const { input, notes } = recordOf(
    withField(
      'input',
      Array.from({ length: 15_000 }, () => text),
    ),
  );
  expect(notes).toMatch(/input/);
  expect(JSON.stringify(input ?? null).length).toBeLessThanOrEqual(65_536);
});
