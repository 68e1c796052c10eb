import { expect, test } from 'vitest';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { executionLimits } from '../../../shared/contracts/execution.ts';
import { anExecution } from '../../support/execution.ts';
import { context, entries, recordOf, texts, withField } from '../../support/execution-record.ts';

test('trace: its length before the cut is stored, and the note tells what was kept', () => {
  const trace = Array.from({ length: 10 }, (_, n) => ({ nodeId: `n${n}`, type: 'literal', value: n }));
  const record = recordOf(anExecution({ trace }), { traceLimit: 4 });
  expect(record.trace).toEqual([trace[0], trace[1], trace[8], trace[9]]);
  expect(record.traceLength).toBe(10);
  expect(record.notes).toBe('trace cut from 10 to 4 entries: the first 2 and the last 2 are kept');
});

test('trace: what is no list becomes a list of one, and said so', () => {
  expect(recordOf(withField('trace', { a: 1 }))).toMatchObject({
    trace: [{ a: 1 }],
    traceLength: 1,
    notes: 'trace: object stored as a list of one',
  });
});

test('trace: an empty one is stored as such', () => {
  expect(recordOf(anExecution({ trace: [] }))).toMatchObject({ trace: [], traceLength: 0 });
});

test('size: long texts give way first, and the trace stays whole', () => {
  const trace = entries(20, 'x'.repeat(5_000));
  const record = recordOf(anExecution({ trace }));
  expect(record.trace).toHaveLength(20);
  expect(record.trace?.[19]).toEqual({ nodeId: 'n19', type: 'field', value: `${'x'.repeat(1_024)}…` });
  expect(record.notes).toMatch(/^trace\[0\]\.value: cut from 5000 to 1024 characters; .*15 more values changed$/);
});

test('size: then the middle of the trace gives way', () => {
  const record = recordOf(anExecution({ trace: entries(2_000, 'x'.repeat(200)) }), { traceLimit: 0 });
  expect(record.trace?.map((entry) => (entry as { nodeId: string }).nodeId)).toEqual([
    ...Array.from({ length: 20 }, (_, n) => `n${n}`),
    ...Array.from({ length: 20 }, (_, n) => `n${1_980 + n}`),
  ]);
  expect(record.traceLength).toBe(2_000);
  expect(record.input).toEqual({ level: 3 });
  expect(record.notes).toBe('trace cut from 2000 to 40 entries: the first 20 and the last 20 are kept');
});

test('size: then the input', () => {
  const record = recordOf(anExecution({ trace: entries(100, new Array(40).fill('x'.repeat(300))) }), {
    maxBytes: 16_384,
  });
  expect(record).not.toHaveProperty('input');
  expect(record.trace).toHaveLength(3);
  expect(record.traceLength).toBe(100);
  expect(record.notes).toContain('input left out: the record is larger than 16384 bytes');
});

test('size: then everything of free form, and the fields of the run remain', () => {
  const execution = anExecution({ trace: entries(100, 'x'.repeat(300)), errorCode: 'DSL_TIMEOUT' });
  const record = recordOf(execution, { maxBytes: 1_024 });
  expect(record).not.toHaveProperty('input');
  expect(record).not.toHaveProperty('trace');
  expect(record).toMatchObject({ errorCode: 'DSL_TIMEOUT', traceLength: 100, points: 12.5 });
  expect(record.notes).toBe('trace and input left out: the record is larger than 1024 bytes');
});

test('size: what was said before the cut is still said after it', () => {
  const { notes } = recordOf({ ...anExecution({ trace: entries(2_000, 'x'.repeat(200)) }), realmId: 5 });
  expect(notes).toMatch(/^trace cut from 2000 to 200 entries: .*; realmId: number stored as text/);
});

test('size: the longest fields that there are fit into the default', () => {
  // Each character takes six bytes of JSON, the most that one can take.
  const long = '\u0001'.repeat(5_000);
  const fields = Object.fromEntries(texts.map((name) => [name, long]));
  const record = recordOf({ ...fields, input: { [long]: Number.NaN }, trace: [long], status: long });
  expect(record.errorMessage).toHaveLength(executionLimits.messageChars);
  expect(record.notes?.length).toBeGreaterThan(400);
});

test('size: characters of several bytes count as such', () => {
  const { bytes, json } = toExecutionRecord(anExecution({ caseName: '漢😀é' }), context);
  expect(bytes).toBe(Buffer.byteLength(json));
  expect(bytes).toBeGreaterThan(json.length);
});
