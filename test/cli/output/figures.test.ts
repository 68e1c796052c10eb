import { expect, test } from 'vitest';
import { toAge, toCount, toFigure, toPercentage, withSign } from '../../../cli/output/figures.ts';

test('figures: three digits that count, thousands apart, and a dash for what is not there', () => {
  expect([0, 0.000_123_4, 3.25, 12.3456, 999.4, 1_234_567.8, -0.5, null].map(toFigure)).toEqual([
    '0',
    '0.000123',
    '3.25',
    '12.3',
    '999',
    '1,234,568',
    '-0.5',
    '–',
  ]);
  expect(toCount(1_234.5)).toBe('1,235');
  expect([0.0123, 0, null].map(toPercentage)).toEqual(['1.23 %', '0 %', '–']);
});

test('figures: ages in the largest unit that gives at least two', () => {
  expect([0.9, 119, 120, 7_199, 7_200, 172_800].map(toAge)).toEqual(['0 s', '119 s', '2 min', '119 min', '2 h', '2 d']);
});

test('figures: a change has its sign', () => {
  expect(['3', '-3', '0', '–'].map(withSign)).toEqual(['+3', '-3', '0', '–']);
});
