import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flag, host, integer, matching, number, type Reader } from '../../../../shared/platform/config/environment.ts';

/** The value, or in an array what would have been accepted. */
function read<T>(reader: Reader<T>, text: string): unknown {
  const reading = reader.read(text);
  return 'value' in reading ? reading.value : [reading.accepted];
}

test.each([
  ...['true', '1', 'yes', 'on', 'TRUE', 'Yes', ' on ', 'tRuE\n'].map((text): [string, boolean] => [text, true]),
  ...['false', '0', 'no', 'off', 'FALSE', 'No', '\toff'].map((text): [string, boolean] => [text, false]),
])('flag: %j is %s', (text, value) => {
  expect(read(flag, text)).toBe(value);
});

test.each([
  '',
  ' ',
  '2',
  'y',
  'enabled',
  'truefalse',
  'null',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
])('flag: %j is refused', (text) => {
  expect(read(flag, text)).toEqual(['true or false (also 1/0, yes/no, on/off)']);
});

const rate = number({ min: 0, max: 1 });

test.each([
  ['0', 0],
  ['1', 1],
  ['0.05', 0.05],
  ['.5', 0.5],
  ['1.', 1],
  ['1e-3', 0.001],
  ['+0.5', 0.5],
  [' 0.5 ', 0.5],
])('number: %j is %d', (text, value) => {
  expect(read(rate, text)).toBe(value);
});

const notNumbers = [
  '',
  ' ',
  'NaN',
  'nan',
  'Infinity',
  '-Infinity',
  '1e999',
  '-1e999',
  '0x1',
  '0b1',
  '0o1',
  '1_0',
  '1,0',
];
const notNumbersEither = ['one', '1e', 'e1', '.', '-', '+', '--1', '1 1', '1/2', '½', '١', '1px', 'null', 'true', '[]'];

test.each([...notNumbers, ...notNumbersEither, '7', '-1', '-0.000001', '1.0000001'])(
  'number: %j is refused',
  (text) => {
    expect(read(rate, text)).toEqual(['a number from 0 to 1']);
  },
);

const port = integer({ min: -1, max: 65_535, unit: 'port' });

test.each([
  ['-1', -1],
  ['0', 0],
  ['65535', 65_535],
  ['1e3', 1_000],
  ['8.0', 8],
  ['007', 7],
  [' 7\n', 7],
])('integer: %j is %d', (text, value) => {
  expect(read(port, text)).toBe(value);
});

test.each([...notNumbers, ...notNumbersEither, '1.5', '1e-3', '-2', '65536'])('integer: %j is refused', (text) => {
  expect(read(port, text)).toEqual(['a whole number from -1 to 65535 (port)']);
});

test('integer: of a number that a double cannot hold exactly, none is made', () => {
  const any = integer({ min: 0, max: Number.MAX_VALUE });
  expect(read(any, '9007199254740991')).toBe(9_007_199_254_740_991);
  expect(read(any, '9007199254740993')).toBeInstanceOf(Array);
});

test('number: what comes out is always finite and within the bounds', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.double().map(String), fc.mixedCase(fc.constantFrom('1e5', 'nan', '0xF'))),
      (text) => {
        const value = read(rate, text);
        expect(Array.isArray(value) || (typeof value === 'number' && value >= 0 && value <= 1)).toBe(true);
      },
    ),
  );
});

test('number: every double in the bounds survives being written and read', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (value) => {
      expect(read(rate, String(value))).toBe(value);
    }),
  );
});

test('matching: what fits is taken as it is, anything else is refused in our words', () => {
  const name = matching(/^[a-z]{1,3}$/, 'one to three letters');
  expect(read(name, 'abc')).toBe('abc');
  for (const text of ['', 'abcd', 'A', 'ab\n', ' a']) expect(read(name, text)).toEqual(['one to three letters']);
});

test.each([
  ['[::1]', '::1'],
  ['[FE80::1]', 'FE80::1'],
  ['::', '::'],
  ['127.0.0.1', '127.0.0.1'],
  ['[name]', '[name]'],
])('host: %j is %s', (text, value) => {
  expect(read(host, text)).toBe(value);
});
