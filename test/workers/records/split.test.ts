import { expect, test } from 'vitest';
import { isPerhapsTooLarge, splitEntries } from '../../../workers/records/split.ts';

test.each([
  ['57014', 2, true],
  ['53200', 7, true],
  ['57014', 1, false],
  ['08006', 100, false],
  ['42703', 100, false],
])('split: after %s at attempt %i: %s', (code, attempt, expected) => {
  expect(isPerhapsTooLarge({ class: 'transient', code }, attempt)).toBe(expected);
});

test('split: halves by number of records, in order, across entries', () => {
  const entries = [
    { json: '[1,2,3]', records: 3 },
    { json: '["4"]', records: 1 },
    { json: '[{"n":5}]', records: 1 },
  ];
  expect(splitEntries(entries)).toEqual([[{ json: '[1,2,3]', records: 3 }], [{ json: '["4",{"n":5}]', records: 2 }]]);
});

test('split: a single record stays whole', () => {
  expect(splitEntries([{ json: '[1]', records: 1 }])).toBeNull();
});

test('split: numbers keep all their digits', () => {
  const halves = splitEntries([{ json: '[12345678901234567890,1.10]', records: 2 }]);
  expect(halves?.map(([half]) => half?.json)).toEqual(['[12345678901234567890]', '[1.10]']);
});
