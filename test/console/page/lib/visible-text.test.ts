import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageModule } from '../../../support/page-module.ts';

interface Piece {
  kind: 'text' | 'mark';
  text: string;
}
const { toPieces, stretchEnd } = await pageModule<{
  toPieces(text: string): Piece[];
  stretchEnd(text: string, from: number, chars: number): number;
}>('lib/visible-text.js');

const drawn = (text: string): string =>
  toPieces(text)
    .map((piece) => (piece.kind === 'text' ? piece.text : `<${piece.text}>`))
    .join('');

test('visible text: what cannot be seen or turns text around is named', () => {
  expect(drawn('a\u202Eb\u2066c')).toBe('a<U+202E>b<U+2066>c');
  expect(drawn('pay\u200Bpal')).toBe('pay<U+200B>pal');
  expect(drawn('\u0000\u001B[31m')).toBe('<U+0000 and 1 more>[31m');
  expect(drawn(`hidden${'\u{E0041}'.repeat(3)}`)).toBe('hidden<U+E0041 and 2 more>');
});

test('visible text: ordinary text stays as it is, emoji, Persian and line ends of Windows among it', () => {
  for (const text of ['a\tb\nc', 'one\r\ntwo', '👨‍👩‍👧', 'می‌خواهم', 'ångström', '日本語'])
    expect(drawn(text)).toBe(text);
});

test('visible text: of very many marks, the rest is one', () => {
  const pieces = toPieces('a\u200B'.repeat(100_000));
  expect(pieces.length).toBeLessThan(1_100);
  expect(
    pieces
      .filter(({ kind }) => kind === 'text')
      .map(({ text }) => text)
      .join(''),
  ).toBe('a'.repeat(100_000));
});

test('visible text: nothing but what is named is left out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = toPieces(text)
        .filter(({ kind }) => kind === 'text')
        .map((piece) => piece.text)
        .join('');
      expect([...shown].every((char) => text.includes(char))).toBe(true);
      expect(drawn(shown)).toBe(shown.replaceAll(/\r(?!\n)/g, '<U+000D>'));
    }),
  );
});

test('stretches: they add up to the text, end at lines where they can, and cut no character in half', () => {
  expect(stretchEnd(`${'a'.repeat(90)}\n${'b'.repeat(50)}`, 0, 100)).toBe(91);
  expect(stretchEnd('😀'.repeat(10), 0, 5)).toBe(4);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 4, max: 50 }), (text, chars) => {
      const parts: string[] = [];
      for (let at = 0; at < text.length; ) {
        const end = stretchEnd(text, at, chars);
        expect(end).toBeGreaterThan(at);
        parts.push(text.slice(at, end));
        at = end;
      }
      expect(parts.join('')).toBe(text);
      expect(parts.every((part) => part.isWellFormed())).toBe(true);
    }),
  );
});
