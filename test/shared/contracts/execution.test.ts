import { expect, test } from 'vitest';
import {
  type ExecutionRecord,
  executionRecordSchema,
  findRecordProblem,
} from '../../../shared/contracts/execution-schema.ts';
import { identifiers } from '../../support/execution-record.ts';

const least = {
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
  recordedAt: '2026-01-02T03:04:05.678Z',
  strategyId: 's',
  strategyVersion: 1,
  strategyType: 'DSL_FULL',
  status: 'ok',
  durationMs: 1.5,
  nodesExecuted: 0,
  sampled: true,
  sampleRate: 0.05,
  attempt: 1,
} satisfies ExecutionRecord;

const most = {
  ...least,
  realmId: 'r',
  externalGameId: 'g',
  externalTaskId: 't',
  externalUserId: 'u',
  errorCode: 'E',
  errorMessage: 'm',
  failedNodeId: 'n',
  points: -1.5,
  caseName: 'c',
  trace: [{ nodeId: null, type: 'literal', value: 1 }, 'cut'],
  traceLength: 2,
  parentStrategyId: 'default',
  astHash: 'h',
  input: { a: [1] },
  notes: 'x',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
};

const optional = Object.keys(most).filter((name) => !(name in least));

const problemWith = (fields: object) => findRecordProblem({ ...most, ...fields });

test('record: the least and the most that one has are valid, and come out as they went in', () => {
  for (const record of [least, most]) expect(executionRecordSchema.parse(record)).toEqual(record);
});

test.each(Object.keys(least))('record: without %s it is refused, and the problem names the field', (name) => {
  expect(problemWith({ [name]: undefined })).toMatch(new RegExp(`^${name}: `));
  expect(problemWith({ [name]: null })).toMatch(new RegExp(`^${name}: `));
});

test.each(optional)('record: %s may be null or missing', (name) => {
  expect(problemWith({ [name]: null })).toBeNull();
  expect(problemWith({ [name]: undefined })).toBeNull();
});

test.each<[name: string, values: unknown[]]>([
  ['id', ['0197C2F0-7A4B-4C3D-9E1F-3B2A1C0D9E8F']],
  ['recordedAt', ['2026-01-02T03:04:05Z', '1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']],
  ['strategyVersion', [0, -2_147_483_647, 2_147_483_647]],
  ['status', ['ok', 'error', 'timeout', 'limit', 'cancelled']],
  ['points', [0, -0.5, 1e308, 5e-324]],
  ['durationMs', [0, 0.001, 1e9]],
  ['nodesExecuted', [0, 2_147_483_647]],
  ['traceLength', [0, 2_147_483_647]],
  ['sampleRate', [1, 0.5, 1e-9]],
  ['attempt', [1, 2_147_483_647]],
  ['trace', [[], [null, 1, 'x', {}]]],
  ['input', [0, '', false, [], {}]],
  ['errorMessage', ['', 'm'.repeat(4_096)]],
  ['notes', ['', 'n'.repeat(1_024)]],
  ...identifiers.map((name): [string, unknown[]] => [name, ['', 'i'.repeat(512)]]),
])('record: of %s, its extremes are accepted', (name, values) => {
  for (const value of values) expect(problemWith({ [name]: value }), String(value)).toBeNull();
});

test.each<[name: string, values: unknown[]]>([
  ['id', ['', 'x', '0197c2f07a4b7c3d9e1f3b2a1c0d9e8f', 5]],
  ['recordedAt', ['', 'yesterday', '2026-01-02', '2026-01-02T03:04:05', '2026-13-02T03:04:05Z', 1_700_000_000_000]],
  ['strategyVersion', [1.5, 2_147_483_648, -2_147_483_648, '1', Number.NaN]],
  ['status', ['', 'OK', 'exploded', 1]],
  ['points', ['5', Number.NaN, Number.POSITIVE_INFINITY, true]],
  ['durationMs', ['5', Number.NaN, Number.NEGATIVE_INFINITY]],
  ['nodesExecuted', [-1, 0.5, 2_147_483_648]],
  ['traceLength', [-1, 0.5]],
  ['sampled', ['true', 1]],
  ['sampleRate', [0, -0.1, 1.001, Number.NaN, '0.5']],
  ['attempt', [0, 1.5, 2_147_483_648]],
  ['trace', [{}, 'trace', 5]],
  ['errorMessage', ['m'.repeat(4_097), 5]],
  ['notes', ['n'.repeat(1_025), 5]],
  ...identifiers.map((name): [string, unknown[]] => [name, ['i'.repeat(513), 5, {}]]),
])('record: of %s, what cannot be stored is refused, and the problem names the field', (name, values) => {
  for (const value of values) expect(problemWith({ [name]: value }), String(value)).toMatch(new RegExp(`^${name}: `));
});

test('problem: of a record that is well there is none', () => {
  expect(findRecordProblem(least)).toBeNull();
  expect(findRecordProblem(most)).toBeNull();
});

test('problem: it says what was expected and what came', () => {
  expect(findRecordProblem({ ...least, strategyId: 5 })).toBe(
    'strategyId: Invalid input: expected string, received number',
  );
});

test('problem: a field that the contract does not know is one', () => {
  expect(findRecordProblem({ ...least, colour: 'red' })).toContain('"colour"');
});

test.each([null, 5, 'text', [], undefined])('problem: %j is no record', (record) => {
  expect(findRecordProblem(record)).toMatch(/^value: /);
});

test.each([
  ['traceId', '0'.repeat(32)],
  ['traceId', 'A'.repeat(32)],
  ['traceId', '1'.repeat(33)],
  ['traceId', ''],
  ['spanId', '0'.repeat(16)],
  ['spanId', '1'.repeat(15)],
  ['spanId', 1],
])('record: as %s, %j is none', (name, value) => {
  expect(problemWith({ [name]: value })).toMatch(new RegExp(`^${name}: `));
});
