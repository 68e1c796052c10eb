import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableJson } from '../../../cli/output/printable.ts';

test.each([
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
  ['\u009b2J', '\\x9b2J'],
  ['a\r\nb\tc', 'a\\r\\nb\\tc'],
  ['back\u0008space\u007f', 'back\\x08space\\x7f'],
  ['\u202egpj.exe', '\\u{202e}gpj.exe'],
  ['\u2066\u2069\u200b\ufeff', '\\u{2066}\\u{2069}\\u{200b}\\u{feff}'],
  ['line\u2028sep', 'line\\u{2028}sep'],
  ['half \ud83d of a pair', 'half \\u{d83d} of a pair'],
  ['tag \u{e0041}', 'tag \\u{e0041}'],
])('printable: %j is shown as %s', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('printable: what people write stays, joined emoji and scripts included', () => {
  const text = 'Zoë — 日本語 👩‍👩‍👧 می‌خواهم ½ €';
  expect(printable(text)).toBe(text);
});

/** All that a terminal may obey; a JSON text may have line feeds of its own when it is indented. */
const obeyed = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)) });
const lowText = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCodePoint(code)) });

test('printable: nothing that a terminal obeys is left of any text, and doing it twice changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, lowText), (text) => {
      const shown = printable(text);
      expect(obeyed.test(shown)).toBe(false);
      expect(printable(shown)).toBe(shown);
    }),
  );
});

test('printable JSON: is JSON of the same value, on one line, with nothing in it that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(anyText, lowText), fc.oneof(anyText, lowText, fc.integer())), (value) => {
      const json = printableJson(value);
      expect(obeyed.test(json)).toBe(false);
      expect(JSON.parse(json)).toEqual(value);
      expect(JSON.parse(printableJson(value, 2))).toEqual(value);
    }),
  );
  expect(printableJson('\u009b\u202e\u{e0041}')).toBe('"\\u009b\\u202e\\udb40\\udc41"');
  expect(printableJson(undefined)).toBe('null');
});
