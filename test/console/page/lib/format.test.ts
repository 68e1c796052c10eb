import { expect, test } from 'vitest';
import { pageModule } from '../../../support/page-module.ts';

const format = await pageModule<{
  runs(tally: object): string;
  percent(value: number | null): string;
  ms(value: number | null): string;
  span(value: number | null): string;
  decimal(value: number | null): string;
  bytes(value: number): string;
  ago(time: number, nowMs: number): string;
  brief(value: unknown, chars?: number): string;
}>('lib/format.js');

test.each([
  [{ rows: 12, runs: 12 }, '12'],
  [{ rows: 12, runs: 48 }, '≈ 48'],
  [{ rows: 1, runs: 1_234_567 }, '≈ 1.23M'],
])('format: runs of %j are %s', (tally, text) => expect(format.runs(tally)).toBe(text));

test.each([
  [null, '–'],
  [0, '0 %'],
  [0.00001, '< 0.01 %'],
  [0.0123, '1.23 %'],
  [0.5, '50 %'],
  [1, '100 %'],
  [-0.0123, '−1.23 %'],
])('format: a share of %s is %s', (value, text) => expect(format.percent(value)).toBe(text));

test.each([
  [null, '–'],
  [0.0321, '0.0321 ms'],
  [3.256, '3.26 ms'],
  [999, '999 ms'],
  [1_500, '1.5 s'],
  [-2_000, '−2 s'],
])('format: %s ms are %s', (value, text) => expect(format.ms(value)).toBe(text));

test.each([
  [59_000, '59 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [90_000_000, '1 d 1 h'],
])('format: a span of %s ms is %s', (value, text) => expect(format.span(value)).toBe(text));

test.each([
  [400, 'just now'],
  [31_800, '31 s ago'],
  [125_000, '2 min ago'],
  [90_000_000, '1 d ago'],
  [-30_000, 'just now'],
  [-2_400_000, 'in 40 min'],
])('format: what was %s ms before is %s', (pastMs, text) => expect(format.ago(0, pastMs)).toBe(text));

test('format: minus is a minus, sizes are binary, long values are cut', () => {
  expect(format.decimal(-65.2)).toBe('−65.2');
  expect(format.bytes(1_536)).toBe('1.5 KiB');
  expect(format.brief({ text: 'x'.repeat(100) }, 20)).toHaveLength(20);
  expect(format.brief(undefined)).toBe('undefined');
});
