import { expect, test } from 'vitest';
import { requestLimits, serviceTiers } from '../../../shared/contracts/completed-request.ts';
import { findRequestProblem } from '../../../shared/contracts/completed-request-schema.ts';
import { aBeginning, aCompletion } from '../../support/requests.ts';

test.each([
  ['a completion', aCompletion()],
  ['a beginning', aBeginning()],
  ['empty bodies', aCompletion({ requestBody: '', responseBody: '' })],
  ['no endpoint', aCompletion({ endpoint: '' })],
  ['no model', aCompletion({ model: '' })],
  ['the first and the last status', aCompletion({ statusCode: 100 })],
  ['the last status', aCompletion({ statusCode: 599 })],
  ['an identifier of full length', aCompletion({ createdBy: 'x'.repeat(requestLimits.identifierChars) })],
  ['a body that was cut', aCompletion({ requestCut: true, requestBytes: 9_000_000_000 })],
  ['a hashed key', aCompletion({ apiKeyHash: '0123456789abcdef'.repeat(4) })],
  ['an end before its start, for clocks may be set', aCompletion({ completedAt: '2020-01-01T00:00:00Z' })],
])('request contract: %s is accepted', (_name, record) => {
  expect(findRequestProblem(record)).toBeNull();
});

test.each(serviceTiers)('request contract: the tier %s is accepted', (serviceTier) => {
  expect(findRequestProblem(aCompletion({ serviceTier }))).toBeNull();
});

const without = (field: string): object =>
  Object.fromEntries(Object.entries(aCompletion()).filter(([name]) => name !== field));

test.each([
  ['requestId', { requestId: 'resp_1' }],
  ['createdBy', { createdBy: '' }],
  ['createdBy', { createdBy: ' \t\u00a0' }],
  ['createdBy', { createdBy: 'x'.repeat(requestLimits.identifierChars + 1) }],
  ['model', { model: 'x'.repeat(requestLimits.identifierChars + 1) }],
  ['endpoint', { endpoint: 'x'.repeat(requestLimits.endpointChars + 1) }],
  ['notes', { notes: 'x'.repeat(requestLimits.notesChars + 1) }],
  ['serviceTier', { serviceTier: 'gold' }],
  ['startedAt', { startedAt: '2026-03-01' }],
  ['startedAt', { startedAt: 1_772_366_400_000 }],
  ['completedAt', { completedAt: '2026-02-30T00:00:00Z' }],
  ['statusCode', { statusCode: 99 }],
  ['statusCode', { statusCode: 600 }],
  ['statusCode', { statusCode: 200.5 }],
  ['requestEncoding', { requestEncoding: 'gzip' }],
  ['requestBytes', { requestBytes: -1 }],
  ['responseBytes', { responseBytes: 2 ** 53 }],
  ['apiKeyHash', { apiKeyHash: 'sk-live-1234' }],
  ['apiKeyHash', { apiKeyHash: 'AB'.repeat(32) }],
  ['phase', { phase: 'ended' }],
])('request contract: a bad %s is refused by its name', (field, overrides) => {
  expect(findRequestProblem({ ...aCompletion(), ...overrides })).toMatch(new RegExp(`^${field}: `));
});

test.each([
  'requestId',
  'createdBy',
  'model',
  'startedAt',
  'completedAt',
  'statusCode',
  'responseBody',
  'requestBytes',
])('request contract: a completion without %s is refused', (field) => {
  expect(findRequestProblem(without(field))).toMatch(new RegExp(`^${field}: `));
});

test.each([
  ['a field that nobody knows', { ...aCompletion(), apiKey: 'sk' }, /apiKey/],
  ['a response at the beginning', { ...aBeginning(), statusCode: 200 }, /statusCode/],
])('request contract: %s is refused', (_name, record, reason) => {
  expect(findRequestProblem(record)).toMatch(reason);
});

test.each([null, undefined, 7, 'text', [], [aCompletion()]])('request contract: %j is no record', (value) => {
  expect(findRequestProblem(value)).not.toBeNull();
});
