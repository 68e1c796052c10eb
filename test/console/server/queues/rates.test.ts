import fc from 'fast-check';
import { expect, test } from 'vitest';
import { remember } from '../../../../console/server/queues/queue-watch.ts';
import { sumRates, toRates } from '../../../../console/server/queues/rates.ts';
import { backlogSeconds, desiredWorkers, toDemand } from '../../../../console/server/queues/scaling.ts';

const empty = { added: 0, waiting: 0, active: 0, delayed: 0, failed: 0 };

test('rates: whatever happens to jobs, what is measured is what happened', () => {
  const happening = fc.record({
    added: fc.nat(1_000),
    completed: fc.nat(1_000),
    failed: fc.nat(1_000),
    retried: fc.nat(1_000),
    taken: fc.nat(1_000),
    delayed: fc.nat(1_000),
  });
  fc.assert(
    fc.property(happening, fc.integer({ min: 1, max: 600_000 }), (happened, elapsedMs) => {
      const before = { added: 7, waiting: 2_000, active: 5_000, delayed: 0, failed: 1_000 };
      const after = {
        added: before.added + happened.added,
        waiting: before.waiting + happened.added + happened.retried - happened.taken - happened.delayed,
        active: before.active + happened.taken - happened.completed - happened.failed,
        delayed: before.delayed + happened.delayed,
        failed: before.failed + happened.failed - happened.retried,
      };
      const rates = toRates(before, after, elapsedMs);
      expect(rates?.arrivalsPerSecond).toBeCloseTo((happened.added * 1_000) / elapsedMs);
      expect(rates?.completionsPerSecond).toBeCloseTo((happened.completed * 1_000) / elapsedMs);
      expect(rates?.overSeconds).toBe(elapsedMs / 1_000);
    }),
  );
});

test('rates: of no time, or of a queue that was made anew, there are none', () => {
  expect(toRates(empty, { ...empty, added: 3 }, 0)).toBeNull();
  expect(toRates({ ...empty, added: 3 }, empty, 1_000)).toBeNull();
});

test('rates: they never come out below nothing', () => {
  const rates = toRates(empty, { ...empty, added: 1, waiting: 5 }, 1_000);
  expect(rates).toEqual({ arrivalsPerSecond: 1, completionsPerSecond: 0, overSeconds: 1 });
});

test('history: it has a whole window in it and little more, however often somebody looks', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 300 }), (gaps) => {
      let history: { atMs: number; added: number }[] = [];
      let atMs = 0;
      for (const gap of gaps) {
        atMs += gap;
        history = remember(history, { atMs, added: 0 });
        const within = history.filter((reading) => atMs - reading.atMs < 60_000);
        expect(history.length - within.length).toBeLessThanOrEqual(1);
        expect(history.length).toBeLessThanOrEqual(62);
        // A minute after the first look, so long is what is measured over.
        if (atMs - (gaps[0] ?? 0) >= 60_000) expect(atMs - (history[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(59_000);
      }
    }),
  );
});

test('history: it begins anew with the queue', () => {
  const history = [{ atMs: 0, added: 5 }];
  expect(remember(history, { atMs: 5_000, added: 4 })).toEqual([{ atMs: 5_000, added: 4 }]);
});

test.each([
  ['nothing waits: one worker is enough', 0, 0, 4, 1],
  ['as fast as wanted: as many as there are', 600, 10, 4, 4],
  ['three times too slow: three times as many', 1_800, 10, 4, 12],
  ['a little too slow: one more', 601, 10, 4, 5],
  ['far faster than wanted: fewer', 150, 10, 4, 1],
  ['nothing was done in the last minute: as if one job had been', 1, 0, 1, 1],
  ['nothing was done, and much waits', 100, 0, 1, 100],
  ['nobody works: one begins', 100, 0, 0, 1],
])('scaling: %s', (_name, backlog, completionsPerSecond, workers, desired) => {
  expect(desiredWorkers({ backlog, completionsPerSecond, workers, isPaused: false }, 60)).toBe(desired);
});

test('scaling: a paused queue wants nobody more, and of an unknown number nothing is said', () => {
  const load = { backlog: 100_000, completionsPerSecond: 1, workers: 4, isPaused: false };
  expect(desiredWorkers({ ...load, isPaused: true }, 60)).toBe(1);
  expect(desiredWorkers({ ...load, workers: null }, 60)).toBeNull();
});

test('scaling: the backlog’s seconds are always a number', () => {
  for (const completionsPerSecond of [null, 0, 1e-9, 5])
    expect(backlogSeconds({ backlog: 10, completionsPerSecond, workers: 1, isPaused: false })).toBeGreaterThan(0);
  expect(backlogSeconds({ backlog: 0, completionsPerSecond: null, workers: 1, isPaused: false })).toBe(0);
  expect(backlogSeconds({ backlog: 10, completionsPerSecond: 5, workers: 1, isPaused: false })).toBe(2);
});

test('rates: those of a queue are the sums of its shards, and unknown while those of a shard are', () => {
  const one = { arrivalsPerSecond: 1, completionsPerSecond: 2, overSeconds: 60 };
  expect(sumRates([one, { ...one, overSeconds: 10 }])).toEqual({
    arrivalsPerSecond: 2,
    completionsPerSecond: 4,
    overSeconds: 60,
  });
  expect(sumRates([one, null])).toBeNull();
  expect(sumRates([])).toBeNull();
});

test('scaling: while a part cannot be read, no worker is taken away, and more are wanted for what can be', () => {
  const load = { backlog: 0, completionsPerSecond: 5 as number | null, isPaused: false, isPartial: true, workers: 4 };
  expect(toDemand(load, 60)).toEqual({ backlogSeconds: 60, desiredWorkers: 4 });
  expect(toDemand({ ...load, backlog: 600 }, 60)).toEqual({ backlogSeconds: 120, desiredWorkers: 8 });
  expect(toDemand({ ...load, backlog: 600, completionsPerSecond: null }, 60)).toEqual({
    backlogSeconds: 60,
    desiredWorkers: 4,
  });
  expect(toDemand({ ...load, isPartial: false }, 60)).toEqual({ backlogSeconds: 0, desiredWorkers: 1 });
  expect(toDemand({ ...load, isPaused: true }, 60)).toEqual({ backlogSeconds: 0, desiredWorkers: 1 });
});
