import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeenRows } from '../../../../cli/commands/follow/seen-rows.ts';
import type { RowKey } from '../../../../queries/executions/tail.ts';

const row = (id: string, ms: number): RowKey => ({ id, recordedAt: new Date(ms) });

test('seen rows: each comes once, one that was recorded earlier and became visible later too', () => {
  const seen = new SeenRows({ startMs: 1_000, lateMs: 100 });
  expect(seen.horizon).toEqual(new Date(900));
  expect(seen.take([row('b', 1_050)], 1_060)).toEqual([row('b', 1_050)]);
  expect(seen.horizon).toEqual(new Date(950));
  expect(seen.take([row('a', 960), row('b', 1_050)], 1_060)).toEqual([row('a', 960)]);
  expect(seen.take([row('a', 960), row('b', 1_050)], 1_060)).toEqual([]);
});

test('seen rows: one id at two times are two rows', () => {
  const seen = new SeenRows({ startMs: 1_000, lateMs: 100 });
  expect(seen.take([row('a', 1_000), row('a', 1_001)], 1_001)).toHaveLength(2);
});

test('seen rows: while nothing arrives the horizon waits, however long an outage takes', () => {
  const seen = new SeenRows({ startMs: 1_000, lateMs: 100 });
  for (const nowMs of [2_000, 50_000, 1e9]) seen.take([], nowMs);
  expect(seen.take([row('held-up', 1_001)], 2e9)).toHaveLength(1);
});

test('seen rows: a clock that is ahead does not move the horizon past the time of the database', () => {
  const seen = new SeenRows({ startMs: 1_000, lateMs: 100 });
  const ahead = row('ahead', 9_000_000);
  expect(seen.take([ahead], 1_500)).toEqual([ahead]);
  expect(seen.horizon).toEqual(new Date(1_400));
  expect(seen.take([row('now', 1_450), ahead], 1_500)).toEqual([row('now', 1_450)]);
});

test('seen rows: what is remembered is bounded by the horizon', () => {
  const seen = new SeenRows({ startMs: 0, lateMs: 10 });
  for (let ms = 0; ms < 1_000; ms += 1) seen.take([row(String(ms), ms)], ms);
  expect(seen.keys).toHaveLength(11);
});

test('seen rows: in any order of commits that is late by no more than promised, each row is told of exactly once', () => {
  const lateMs = 50;
  const run = fc.record({ at: fc.nat(500), delay: fc.nat(lateMs), id: fc.uuid() });
  const polls = fc.array(fc.nat(560), { maxLength: 30 });
  fc.assert(
    fc.property(fc.uniqueArray(run, { selector: ({ id }) => id, maxLength: 60 }), polls, (runs, times) => {
      const seen = new SeenRows({ startMs: 0, lateMs });
      const told: string[] = [];
      for (const nowMs of [...times.sort((a, b) => a - b), 1_000]) {
        const visible = runs.filter(({ at, delay }) => at + delay <= nowMs).map(({ id, at }) => row(id, at));
        // As the statement reads: from the horizon on, without those that are remembered.
        const known = new Set(seen.keys.map(({ id }) => id));
        const read = visible.filter(({ id, recordedAt }) => recordedAt >= seen.horizon && !known.has(id));
        told.push(...seen.take(read, nowMs).map(({ id }) => id));
      }
      expect(told.sort()).toEqual(runs.map(({ id }) => id).sort());
    }),
  );
});
