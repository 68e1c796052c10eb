import { expect, test } from 'vitest';
import { toAbsent } from '../../../queries/ledger/absent.ts';
import { silentAfterMs, standingOf } from '../../../queries/ledger/standing.ts';
import { addTerms, noTerms, sumOverProducers, type Terms, unexplained } from '../../../queries/ledger/terms.ts';
import { toVerdict } from '../../../queries/ledger/verdict.ts';

const terms = (some: Partial<Terms>): Terms => addTerms(noTerms(), some);

test('terms: a sum over producers takes out once what one handed to another', () => {
  const python = terms({ recorded: 100, sampledOut: 40, handed: 60 });
  const gateway = terms({ recorded: 70, stored: 65, missing: 5 });
  expect(unexplained(python)).toBe(0);
  expect(unexplained(gateway)).toBe(0);
  const sum = sumOverProducers([python, gateway]);
  expect(sum).toMatchObject({ recorded: 110, handed: 0, sampledOut: 40, stored: 65, missing: 5 });
  expect(unexplained(sum)).toBe(0);
});

test('terms: what is on one side only shows, with its side', () => {
  expect(unexplained(terms({ recorded: 10, stored: 8 }))).toBe(2);
  expect(unexplained(terms({ recorded: 10, stored: 11 }))).toBe(-1);
});

const verdictOf = (some: Partial<Terms>, rest: { unchecked?: number; uncertainUpTo?: number } = {}) => {
  const total = terms(some);
  return toVerdict({ total, unexplained: unexplained(total), unchecked: 0, uncertainUpTo: 0, ...rest });
};

test('verdict: the worst comes first, and each is said in words', () => {
  expect(verdictOf({})).toEqual({ state: 'empty', text: 'Nothing was recorded.' });
  expect(verdictOf({ recorded: 1_234, stored: 1_230, inFlight: 4 })).toEqual({
    state: 'balanced',
    text: 'The books balance: of 1,234 records, 1,230 are stored, 4 are in flight, and none is missing.',
  });
  expect(verdictOf({ recorded: 10, stored: 9, missing: 1 })).toEqual({
    state: 'missing',
    text: '1 record is missing: Redis had it, and it is neither there nor stored.',
  });
  const both = verdictOf({ recorded: 10, stored: 3, missing: 2, uncertain: 5 }, { uncertainUpTo: 50 });
  expect(both).toMatchObject({ state: 'missing', text: expect.stringContaining('0 to 50 more may be lost') });
  expect(verdictOf({ recorded: 10, stored: 9 })).toMatchObject({ state: 'disagreeing' });
  expect(verdictOf({ recorded: 10, stored: 9, inFlight: 1 }, { unchecked: 1 })).toMatchObject({ state: 'unchecked' });
  expect(verdictOf({ recorded: 10, stored: 10 }, { uncertainUpTo: 7 })).toMatchObject({
    state: 'uncertain',
    text: expect.stringContaining('0 to 7 may be lost'),
  });
});

test('a life: it is alive while reports or chunks come, closed when it says so, and silent after three minutes', () => {
  const nowMs = 10_000_000;
  const life = { lastAtMs: nowMs - silentAfterMs - 1, isFinal: false, lastChunkAtMs: null };
  expect(standingOf(life, nowMs)).toBe('silent');
  expect(standingOf({ ...life, lastChunkAtMs: nowMs - 1_000 }, nowMs)).toBe('alive');
  expect(standingOf({ ...life, lastAtMs: nowMs - silentAfterMs }, nowMs)).toBe('alive');
  expect(standingOf({ ...life, isFinal: true }, nowMs)).toBe('closed');
});

const summary = (ok: number, failed: number, weight: number) =>
  ({
    statuses: { ok: { rows: ok, runs: ok * weight } },
    failed: { rows: failed, runs: failed },
    total: { rows: ok + failed, runs: ok * weight + failed },
  }) as unknown as Parameters<typeof toAbsent>[1];

test('absent: the failure rate lies between none of the absent runs failed and all did', () => {
  const records = { dropped: 5, refused: 1, dead: 2, notArrived: 12 };
  const absent = toAbsent(records, summary(40, 20, 4));
  // Of 180 runs, 20 failed. 20 more rows are of up to 80 ok runs, or of 20 failures.
  expect(absent).toEqual({ ...records, records: 20, failureRate: { low: 20 / 260, high: 40 / 200 } });
  expect(toAbsent({ dropped: 0, refused: 0, dead: 0, notArrived: 0 }, summary(40, 20, 4))).toBeNull();
  expect(toAbsent(records, summary(0, 0, 1))).toMatchObject({ records: 20, failureRate: null });
});
