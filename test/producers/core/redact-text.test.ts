import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DetectorName, detectors } from '../../../producers/core/redact-text.ts';

const found = (name: DetectorName, text: string) =>
  detectors[name](text).map(({ start, end }) => text.slice(start, end));

test.each<[DetectorName, string, string[]]>([
  ['email', 'write to ann.b+c@example.co.uk, or <bob@x.org>.', ['ann.b+c@example.co.uk', 'bob@x.org']],
  ['email', 'q=a%40b.de&x=1', ['a%40b.de']],
  ['email', 'jürgen@müller.de', ['jürgen@müller.de']],
  ['email', 'a@b.de,c@d.fr;e@f.it', ['a@b.de', 'c@d.fr', 'e@f.it']],
  ['email', 'no@domain @b.de a@ @ a@.de', []],
  ['creditCard', 'visa 4111 1111 1111 1111 or 5500-0000-0000-0004', ['4111 1111 1111 1111', '5500-0000-0000-0004']],
  ['creditCard', '12 4111111111111111 7', ['4111111111111111']],
  [
    'creditCard',
    '4111\u00a01111\u00a01111\u00a01111 5500\u20110000\u20110000\u20110004',
    ['4111\u00a01111\u00a01111\u00a01111', '5500\u20110000\u20110000\u20110004'],
  ],
  ['creditCard', 'amex 378282246310005x', ['378282246310005']],
  ['creditCard', '4111111111111112 41111111111111111111111 1764276000000 2026-05-01', []],
  ['iban', 'to DE89 3704 0044 0532 0130 00 AND MORE', ['DE89 3704 0044 0532 0130 00']],
  ['iban', 'GB82WEST12345698765432', ['GB82WEST12345698765432']],
  ['iban', 'DE89370400440532013001', []],
  ['iban', 'ORDER AB12 PAY TO DE89370400440532013000 NOW', ['DE89370400440532013000']],
  ['iban', 'NO9386011117947 GB82WEST12345698765432', ['NO9386011117947', 'GB82WEST12345698765432']],
])('redaction: %s in %j', (name, text, expected) => {
  expect(found(name, text)).toEqual(expected);
});

test('redaction: what is found stands in its order and nowhere twice, in any text', () => {
  const text = fc.array(
    fc.constantFrom('@', '%40', '.', '-', ' ', '4', '1', '0', 'A', 'b', '4111111111111111', 'DE89'),
  );
  fc.assert(
    fc.property(text, fc.constantFrom<DetectorName>('email', 'creditCard', 'iban'), (parts, name) => {
      let last = 0;
      for (const { start, end } of detectors[name](parts.join(''))) {
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end).toBeGreaterThan(start);
        last = end;
      }
    }),
  );
});

test.each(['@', 'a@', '%40', 'a%40', '4 ', '4', '41111111-', 'AA11', 'AA11A ', 'a.', 'a@b.'])(
  'redaction: a megabyte of %j takes no longer than its length asks for',
  (part) => {
    const text = part.repeat(Math.floor(1_048_576 / part.length));
    for (const find of Object.values(detectors)) expect(find(text)).toBeInstanceOf(Array);
  },
  20_000,
);
