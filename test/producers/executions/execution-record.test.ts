import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toExecutionRecord, toStatus } from '../../../producers/executions/execution-record.ts';
import { anyText, anyValue } from '../../support/any-value.ts';
import { anExecution } from '../../support/execution.ts';
import { context, entries, recordOf, texts, withField } from '../../support/execution-record.ts';

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

test('id: a UUID of the caller is kept, in lower case', () => {
  for (const id of ['c7f3d5f0-4f5a-4a50-8a30-0f3a3f9f7a10', 'C7F3D5F0-4F5A-1A50-8A30-0F3A3F9F7A10'])
    expect(recordOf(anExecution({ id })).id).toBe(id.toLowerCase());
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
