import { expect, test } from 'vitest';
import { createDeadRatioGuard } from '../../../workers/ingest/dead-ratio-guard.ts';

test('guard: below the number of records nothing is concluded', () => {
  const guard = createDeadRatioGuard({ maxShare: 0.5, minRecords: 100 });
  expect(guard.note(99, 99)).toBe(false);
  expect(guard.note(1, 1)).toBe(true);
});

test('guard: a share at the limit is fine, beyond it is not', () => {
  const guard = createDeadRatioGuard({ maxShare: 0.5, minRecords: 100 });
  expect(guard.note(100, 50)).toBe(false);
  expect(guard.note(100, 51)).toBe(true);
});

test('guard: a share of one switches it off', () => {
  const guard = createDeadRatioGuard({ maxShare: 1, minRecords: 10 });
  for (let run = 0; run < 50; run += 1) expect(guard.note(10, 10)).toBe(false);
});

test('guard: a good past is forgotten, so that it does not hide a bad present', () => {
  const guard = createDeadRatioGuard({ maxShare: 0.5, minRecords: 100 });
  for (let run = 0; run < 1_000; run += 1) guard.note(10, 0);
  const answers = Array.from({ length: 20 }, () => guard.note(10, 10));
  expect(answers[0]).toBe(false);
  expect(answers.at(-1)).toBe(true);
});

test('guard: a few dead records among many never stop anything', () => {
  const guard = createDeadRatioGuard({ maxShare: 0.5, minRecords: 100 });
  for (let run = 0; run < 1_000; run += 1) expect(guard.note(200, 5)).toBe(false);
});

test('guard: what is taken back counts no more, also when its block is closed', () => {
  const guard = createDeadRatioGuard({ maxShare: 0.5, minRecords: 100 });
  for (let run = 0; run < 10; run += 1) guard.note(10, 10);
  guard.takeBack(100, 100);
  // Nothing is below zero: it would hide what comes next.
  expect(guard.note(99, 99)).toBe(false);
  expect(guard.note(1, 1)).toBe(true);
});

test('guard: more than was noted is not taken back', () => {
  const guard = createDeadRatioGuard({ maxShare: 0.5, minRecords: 100 });
  guard.note(10, 10);
  guard.takeBack(500, 500);
  expect(guard.note(100, 51)).toBe(true);
});
