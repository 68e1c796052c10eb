import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  coveredUntilMs,
  overlaps,
  type PartitionBounds,
  parseBounds,
} from '../../../../../shared/platform/postgres/partitions/partition-bounds.ts';

const day = 86_400_000;
const at = (text: string) => Date.parse(text);

test.each<[string, string | null, PartitionBounds]>([
  ['DEFAULT', 'DEFAULT', { kind: 'default' }],
  [
    'a day',
    "FOR VALUES FROM ('2026-11-22 00:00:00+00') TO ('2026-11-23 00:00:00+00')",
    { kind: 'range', fromMs: at('2026-11-22T00:00:00Z'), untilMs: at('2026-11-23T00:00:00Z') },
  ],
  [
    'a part of a millisecond, which widens it',
    "FOR VALUES FROM ('2026-11-22 00:00:00.0015+00') TO ('2026-11-23 00:00:00.000001+00')",
    { kind: 'range', fromMs: at('2026-11-22T00:00:00.001Z'), untilMs: at('2026-11-23T00:00:00.001Z') },
  ],
  [
    'no beginning and no end',
    'FOR VALUES FROM (MINVALUE) TO (MAXVALUE)',
    { kind: 'range', fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY },
  ],
  [
    'infinity',
    "FOR VALUES FROM ('-infinity') TO ('infinity')",
    { kind: 'range', fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY },
  ],
  [
    'years before Christ',
    "FOR VALUES FROM ('0045-01-01 00:00:00+00 BC') TO ('0044-03-15 00:00:00+00 BC')",
    { kind: 'range', fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.NEGATIVE_INFINITY },
  ],
  [
    'years with five digits',
    "FOR VALUES FROM ('9999-01-01 00:00:00+00') TO ('10000-01-01 00:00:00+00')",
    { kind: 'range', fromMs: at('9999-01-01T00:00:00Z'), untilMs: Number.POSITIVE_INFINITY },
  ],
  ['another time zone', "FOR VALUES FROM ('2026-11-22 01:00:00+01') TO ('2026-11-23 01:00:00+01')", everything()],
  ['two columns', "FOR VALUES FROM ('2026-11-22 00:00:00+00', 'a') TO ('2026-11-23', 'b')", { kind: 'other' }],
  ['a list', "FOR VALUES IN ('a', 'b')", { kind: 'other' }],
  ['a hash', 'FOR VALUES WITH (modulus 4, remainder 0)', { kind: 'other' }],
  ['nothing', null, { kind: 'other' }],
])('bounds: %s', (_kind, text, bounds) => {
  expect(parseBounds(text)).toEqual(bounds);
});

function everything(): PartitionBounds {
  return { kind: 'range', fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };
}

test('bounds: whatever the text, reading it does not throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseBounds(text)));
});

test('bounds: ranges that only touch do not overlap, and the DEFAULT partition overlaps nothing', () => {
  const range: PartitionBounds = { kind: 'range', fromMs: 10, untilMs: 20 };
  expect([overlaps(range, 0, 10), overlaps(range, 20, 30)]).toEqual([false, false]);
  expect([overlaps(range, 0, 11), overlaps(range, 19, 30), overlaps(range, 12, 13)]).toEqual([true, true, true]);
  expect(overlaps({ kind: 'default' }, 0, 100)).toBe(false);
});

test.each<[string, PartitionBounds[], number]>([
  ['nothing', [], 5],
  ['DEFAULT only', [{ kind: 'default' }], 5],
  ['days without a gap, in any order', [range(10, 20), range(0, 10)], 20],
  ['days with a gap', [range(0, 10), range(11, 20)], 10],
  ['days that begin later', [range(6, 20)], 5],
  ['days that are over', [range(0, 5)], 5],
  ['a partition without an end', [range(0, 10), range(10, Number.POSITIVE_INFINITY)], Number.POSITIVE_INFINITY],
])('bounds: how far %s covers', (_kind, partitions, untilMs) => {
  expect(coveredUntilMs(partitions, 5)).toBe(untilMs);
});

function range(fromMs: number, untilMs: number): PartitionBounds {
  return { kind: 'range', fromMs, untilMs };
}

test('bounds: daily partitions cover exactly as many days as there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: day - 1 }), (days, nowMs) => {
      const partitions = Array.from({ length: days }, (_, index) => range(index * day, (index + 1) * day));
      expect(coveredUntilMs(partitions, nowMs)).toBe(days === 0 ? nowMs : days * day);
    }),
  );
});
