import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planPartitions } from '../../../../../shared/platform/postgres/partitions/partitions.ts';

test('partitions: they are the days from yesterday to as many ahead as asked for, in UTC', () => {
  expect(planPartitions('log', Date.parse('2026-03-01T12:00:00Z'), 1)).toEqual([
    { name: 'log_20260228', from: '2026-02-28T00:00:00.000Z', until: '2026-03-01T00:00:00.000Z' },
    { name: 'log_20260301', from: '2026-03-01T00:00:00.000Z', until: '2026-03-02T00:00:00.000Z' },
    { name: 'log_20260302', from: '2026-03-02T00:00:00.000Z', until: '2026-03-03T00:00:00.000Z' },
  ]);
});

test.each([
  ['the first ms of a day', '2026-01-01T00:00:00.000Z', 'log_20251231', 'log_20260101'],
  ['the last ms of a day', '2026-01-01T23:59:59.999Z', 'log_20251231', 'log_20260101'],
  ['a leap day', '2028-02-29T05:00:00Z', 'log_20280228', 'log_20280229'],
])('partitions: %s belongs to its UTC day', (_kind, now, yesterday, today) => {
  expect(planPartitions('log', Date.parse(now), 0).map(({ name }) => name)).toEqual([yesterday, today]);
});

test.each(['2026-03-29T00:30:00Z', '2026-10-25T00:30:00Z', '2026-03-08T09:30:00Z'])(
  'partitions: every day has 24 hours, also where clocks are put forward or back (%s)',
  (now) => {
    for (const { from, until } of planPartitions('log', Date.parse(now), 3)) {
      expect(Date.parse(until) - Date.parse(from)).toBe(86_400_000);
    }
  },
);

test('partitions: they follow on each other without a gap, cover now, and have names of their own', () => {
  const nowMs = fc.integer({ min: 0, max: Date.UTC(9_000, 0, 1) });
  fc.assert(
    fc.property(nowMs, fc.integer({ min: 1, max: 365 }), (now, daysAhead) => {
      const days = planPartitions('log', now, daysAhead);
      expect(days).toHaveLength(daysAhead + 2);
      expect(new Set(days.map(({ name }) => name)).size).toBe(days.length);
      for (const [index, day] of days.entries()) {
        expect(day.name).toMatch(/^log_\d{8}$/);
        expect(day.name.slice(4)).toBe(day.from.slice(0, 10).replaceAll('-', ''));
        if (index > 0) expect(day.from).toBe(days[index - 1]?.until);
      }
      expect(Date.parse(days[1]?.from ?? '')).toBeLessThanOrEqual(now);
      expect(Date.parse(days[1]?.until ?? '')).toBeGreaterThan(now);
    }),
  );
});
