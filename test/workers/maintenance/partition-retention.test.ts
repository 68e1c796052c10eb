import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PartitionBounds } from '../../../shared/platform/postgres/partitions/partition-bounds.ts';
import type { Partition } from '../../../shared/platform/postgres/partitions/partition-catalog.ts';
import { agree } from '../../../workers/maintenance/clock.ts';
import { planRetention } from '../../../workers/maintenance/partition-retention.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-22T12:00:00Z');
const today = Date.parse('2026-11-22T00:00:00Z');

function aPartition(bounds: PartitionBounds, overrides: Partial<Partition> = {}): Partition {
  return { schema: 'public', name: 'log', bounds, isDroppable: true, ...overrides };
}

/** The days from `fromDay` until `untilDay`, counted from today. */
function days(fromDay: number, untilDay: number): PartitionBounds {
  return { kind: 'range', fromMs: today + fromDay * day, untilMs: today + untilDay * day };
}

test.each<[string, PartitionBounds, number, boolean]>([
  ['a day whose last instant is older', days(-91, -90), 90, true],
  ['a day of which a part is younger', days(-90, -89), 90, false],
  ['a day that ended exactly so long ago', { kind: 'range', fromMs: 0, untilMs: now - 90 * day }, 90, true],
  ['a day that ended 1 ms later', { kind: 'range', fromMs: 0, untilMs: now - 90 * day + 1 }, 90, false],
  ['a month that is older', days(-150, -120), 90, true],
  ['a month that reaches into what is kept', days(-120, -89), 90, false],
  ['yesterday, with a day to keep', days(-1, 0), 1, false],
  ['the day before, with a day to keep', days(-2, -1), 1, true],
  ['today', days(0, 1), 1, false],
  ['tomorrow', days(1, 2), 1, false],
  ['the DEFAULT partition', { kind: 'default' }, 1, false],
  ['bounds that cannot be read', { kind: 'other' }, 1, false],
  ['no beginning', { kind: 'range', fromMs: Number.NEGATIVE_INFINITY, untilMs: 0 }, 1, false],
  ['no end', { kind: 'range', fromMs: 0, untilMs: Number.POSITIVE_INFINITY }, 1, false],
  ['an end before Christ', { kind: 'range', fromMs: Number.NEGATIVE_INFINITY, untilMs: -8e15 }, 1, false],
  ['anything, when everything is kept', days(-3_000, -2_999), 0, false],
])('retention: %s', (_kind, bounds, retentionDays, isDropped) => {
  expect(planRetention([aPartition(bounds)], now, retentionDays)).toHaveLength(isDropped ? 1 : 0);
});

test('retention: what may not be dropped is not, whatever its name and age', () => {
  expect(planRetention([aPartition(days(-400, -399), { isDroppable: false })], now, 90)).toEqual([]);
});

test('retention: a name that says old does not make it old, nor young', () => {
  const young = aPartition(days(0, 1), { name: 'strategy_execution_log_20200101' });
  const old = aPartition(days(-400, -399), { name: 'strategy_execution_log_20261122' });
  expect(planRetention([young, old], now, 90)).toEqual([old]);
});

test('retention: the oldest goes first', () => {
  const partitions = [days(-200, -199), days(-400, -399), days(-300, -299)].map((bounds) => aPartition(bounds));
  expect(planRetention(partitions, now, 90)).toEqual([partitions[1], partitions[2], partitions[0]]);
});

test('retention: nothing goes that covers an instant within it, DEFAULT and future never, and all else does go', () => {
  const end = fc.oneof(
    fc.integer({ min: today - 4_000 * day, max: today + 4_000 * day }),
    fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
  );
  const range = fc
    .tuple(end, end)
    .map(([a, b]) => ({ kind: 'range' as const, fromMs: Math.min(a, b), untilMs: Math.max(a, b) }));
  const bounds = fc.oneof(
    { weight: 8, arbitrary: range },
    fc.constantFrom({ kind: 'default' as const }, { kind: 'other' as const }),
  );
  const partition = fc
    .record({ bounds, isDroppable: fc.boolean() })
    .map(({ bounds, isDroppable }) => aPartition(bounds, { isDroppable }));
  fc.assert(
    fc.property(fc.array(partition), fc.integer({ min: 1, max: 3_650 }), (partitions, retentionDays) => {
      const dropped = new Set(planRetention(partitions, now, retentionDays));
      const keptFrom = now - retentionDays * day;
      for (const one of partitions) {
        const { bounds, isDroppable } = one;
        const isOld =
          isDroppable &&
          bounds.kind === 'range' &&
          Number.isFinite(bounds.fromMs + bounds.untilMs) &&
          bounds.untilMs <= keptFrom;
        expect(dropped.has(one)).toBe(isOld);
      }
    }),
  );
});

test('clock: a difference of up to a day is none, and one that cannot be told is one', () => {
  expect([agree(now, now), agree(now, now + day), agree(now + day, now)]).toEqual([true, true, true]);
  expect([agree(now, now + day + 1), agree(now, Number.NaN)]).toEqual([false, false]);
});
