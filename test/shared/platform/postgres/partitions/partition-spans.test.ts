import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PartitionBounds } from '../../../../../shared/platform/postgres/partitions/partition-bounds.ts';
import {
  gapsIn,
  nameOfSpan,
  partitionUnits,
  spanOf,
  spansBetween,
} from '../../../../../shared/platform/postgres/partitions/partition-spans.ts';

const span = (from: string, until: string) => ({ fromMs: Date.parse(from), untilMs: Date.parse(until) });
const range = (from: string, until: string): PartitionBounds => ({ kind: 'range', ...span(from, until) });

test.each([
  ['day', '2026-06-11T23:59:59.999Z', '2026-06-11', '2026-06-12', '20260611'],
  ['week', '2027-01-03T23:59:59.999Z', '2026-12-28', '2027-01-04', '2026w53'],
  ['week', '2027-01-04T00:00:00Z', '2027-01-04', '2027-01-11', '2027w01'],
  ['week', '2024-12-30T00:00:00Z', '2024-12-30', '2025-01-06', '2025w01'],
  ['month', '2028-02-29T12:00:00Z', '2028-02-01', '2028-03-01', '202802'],
  ['month', '2026-12-31T12:00:00Z', '2026-12-01', '2027-01-01', '202612'],
] as const)('partition spans: the %s of %s is from %s to %s and is called so', (unit, at, from, until, name) => {
  const found = spanOf(Date.parse(at), unit);
  expect(found).toEqual(span(from, until));
  expect(nameOfSpan(found)).toBe(name);
});

test.each([
  ['2026-06-11', '2026-06-14', '20260611_20260614'],
  ['2026-06-11T06:30:00Z', '2026-06-12', '20260611t0630_20260612'],
  ['2026-06-11T06:30:05.123Z', '2026-06-12', '20260611t063005123_20260612'],
  ['2026-06-11T06:30:05Z', '2026-06-12', '20260611t063005_20260612'],
])('partition spans: what is no day, week or month has its ends in its name (%s to %s)', (from, until, name) => {
  expect(nameOfSpan(span(from, until))).toBe(name);
});

test('partition spans: a month has gaps where no partition takes its days', () => {
  const month = span('2026-06-01', '2026-07-01');
  expect(gapsIn(month, [])).toEqual([month]);
  expect(gapsIn(month, [{ kind: 'default' }, range('2026-05-20', '2026-07-02')])).toEqual([]);
  expect(gapsIn(month, [range('2026-06-12', '2026-06-13'), range('2026-05-25', '2026-06-08')])).toEqual([
    span('2026-06-08', '2026-06-12'),
    span('2026-06-13', '2026-07-01'),
  ]);
});

test('partition spans: whatever is there already, what is there and the gaps take each instant once', () => {
  const ms = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 31) });
  fc.assert(
    fc.property(
      fc.uniqueArray(ms, { maxLength: 12 }),
      ms,
      ms,
      fc.constantFrom(...partitionUnits),
      (ends, a, b, unit) => {
        const sorted = ends.sort((one, other) => one - other);
        const there = sorted.flatMap((fromMs, index): PartitionBounds[] => {
          const untilMs = sorted[index + 1];
          return index % 2 === 0 && untilMs !== undefined ? [{ kind: 'range', fromMs, untilMs }] : [];
        });
        const spans = spansBetween(Math.min(a, b), Math.max(a, b), unit);
        const made = spans.flatMap((one) => gapsIn(one, there));
        const all = [...there.flatMap((one) => (one.kind === 'range' ? [one] : [])), ...made].sort(
          (one, other) => one.fromMs - other.fromMs,
        );
        for (const [index, one] of all.entries())
          expect(one.fromMs).toBeGreaterThanOrEqual(all[index - 1]?.untilMs ?? Number.NEGATIVE_INFINITY);
        for (const at of [a, b]) expect(all.some(({ fromMs, untilMs }) => fromMs <= at && at < untilMs)).toBe(true);
        expect(new Set(made.map(nameOfSpan)).size).toBe(made.length);
      },
    ),
  );
});
