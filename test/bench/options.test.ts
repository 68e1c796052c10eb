import { expect, test } from 'vitest';
import { readOptions } from '../../bench/options.ts';

test('options of the bench: growth takes ascending numbers of rows, and minutes', () => {
  expect(readOptions(['growth'])?.growth).toEqual({ rows: [0, 1_000_000, 5_000_000, 10_000_000], minutes: 30 });
  expect(readOptions(['growth', '--rows', '0,500', '--minutes', '0'])?.growth).toEqual({ rows: [0, 500], minutes: 0 });
  expect(() => readOptions(['growth', '--rows', '500,0'])).toThrow('--rows must be whole numbers in ascending order');
  expect(() => readOptions(['growth', '--rows', '0,many'])).toThrow('--rows must be whole numbers in ascending order');
  expect(() => readOptions(['growth', '--minutes', '2000'])).toThrow('--minutes must be 0 to 1440');
});

test('options of the bench: the gateway takes one number of rows, and minutes', () => {
  expect(readOptions(['gateway', '--rows', '500'])).toMatchObject({
    rows: 500,
    gateway: { minutes: 10 },
    growth: null,
  });
  expect(readOptions(['gateway', '--minutes', '0'])?.gateway).toEqual({ minutes: 0 });
  expect(() => readOptions(['gateway', '--minutes', '2000'])).toThrow('--minutes must be 0 to 1440');
  expect(readOptions([])?.gateway).toBeNull();
});

test('options of the bench: peers takes one number of rows, and measures nothing else', () => {
  expect(readOptions(['peers', '--rows', '500'])).toMatchObject({ rows: 500, peers: true, growth: null, reads: null });
  expect(() => readOptions(['peers', '--rows', '0,500'])).toThrow('--rows must be a whole number of at least 100');
});
