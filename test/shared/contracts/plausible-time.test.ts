import { expect, test } from 'vitest';
import { findRequestOddity } from '../../../shared/contracts/completed-request-schema.ts';
import { findExecutionOddity } from '../../../shared/contracts/execution-schema.ts';
import { findImplausibility, latestPlausible } from '../../../shared/contracts/plausible-time.ts';
import { aBeginning, aCompletion } from '../../support/requests.ts';

const latest = latestPlausible(Date.parse('2026-05-10T12:00:00Z'));

test.each([
  ['1970-01-21T14:00:00.000Z', /before 2000; were seconds given/],
  ['1999-12-31T23:59:59.999Z', /before 2000/],
  ['2000-01-01T00:00:00Z', null],
  ['2026-05-11T11:59:59Z', null],
  ['2026-05-11T12:00:00.000Z', null],
  ['2026-05-11T12:00:00.001Z', /more than a day ahead/],
  ['9999-12-31T00:00:00.000Z', /more than a day ahead/],
])('plausible time: %s', (iso, says) => {
  const found = findImplausibility(iso, latest);
  if (says === null) expect(found).toBeNull();
  else expect(found).toMatch(says);
});

test('plausible time: of a request the beginning, the end and their order are looked at', () => {
  const odd = (record: Parameters<typeof findRequestOddity>[0]) => findRequestOddity(record, latest);
  expect(odd(aBeginning())).toBeNull();
  expect(odd(aCompletion())).toBeNull();
  expect(odd(aBeginning({ startedAt: '1970-01-21T00:00:00Z' }))).toMatch(/^startedAt: 1970/);
  expect(odd(aCompletion({ completedAt: '2970-01-21T00:00:00Z' }))).toMatch(/^completedAt: 2970/);
  expect(odd(aCompletion({ completedAt: '2026-03-01T11:59:59Z' }))).toMatch(/is before startedAt$/);
});

test('plausible time: of an execution the time and the duration are looked at', () => {
  const recordedAt = '2026-05-10T12:00:00Z';
  expect(findExecutionOddity({ recordedAt, durationMs: 0 }, latest)).toBeNull();
  expect(findExecutionOddity({ recordedAt, durationMs: -5 }, latest)).toBe('durationMs: -5 is below 0');
  expect(findExecutionOddity({ recordedAt: '1970-01-21T00:00:00Z', durationMs: 1 }, latest)).toMatch(
    /^recordedAt: 1970/,
  );
});
