import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter, tooLong } from '../../../gateway/body/line-splitter.ts';

function split(text: string, cuts: readonly number[], maxLineBytes: number): (string | symbol)[] {
  const bytes = Buffer.from(text);
  const splitter = new LineSplitter(maxLineBytes);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const lines: (Buffer | symbol)[] = [];
  let start = 0;
  for (const end of ends) {
    for (const line of splitter.push(bytes.subarray(start, end))) lines.push(line);
    start = end;
  }
  const last = splitter.end();
  if (last !== null) lines.push(last);
  return lines.map((line) => (typeof line === 'symbol' ? line : line.toString()));
}

const texts = fc.string({ unit: fc.constantFrom('a', '{', 'ü', '\n', '\n\n', '\r\n', ' '), maxLength: 60 });

test('lines: however the bytes are cut, the lines are those of the text, without the empty ones', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat()), (text, cuts) => {
      const expected = text.split('\n').filter((line) => line.trim() !== '');
      expect(split(text, cuts, 1_000).map((line) => String(line).trim())).toEqual(expected.map((line) => line.trim()));
    }),
  );
});

test('lines: one that is too long is told as such, wherever it is cut, and its bytes are not kept', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat()), (text, cuts) => {
      const long = 'x'.repeat(200);
      const around = text.split('\n').filter((line) => line.trim() !== '').length;
      const lines = split(`${text}\n${long}\n${text}`, cuts, 150);
      expect(lines.length).toBe(2 * around + 1);
      expect(lines.indexOf(tooLong)).toBe(around);
    }),
  );
  const splitter = new LineSplitter(1_000);
  for (let pushed = 0; pushed < 5_000; pushed += 1) expect([...splitter.push(Buffer.from('x'))]).toEqual([]);
  expect(splitter.heldBytes).toBe(0);
});

test('lines: a line that comes byte by byte takes about its own length', () => {
  const splitter = new LineSplitter(1_000_000);
  for (let pushed = 0; pushed < 50_000; pushed += 1) expect([...splitter.push(Buffer.from('x'))]).toEqual([]);
  expect(splitter.heldBytes).toBeGreaterThanOrEqual(50_000);
  expect(splitter.heldBytes).toBeLessThan(140_000);
});
