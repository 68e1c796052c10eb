import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { cutLine, type Line, toText } from '../../../cli/output/line.ts';
import { createOutput, type OutputStream } from '../../../cli/output/output.ts';

const plain = { colours: false };

test('line: texts are made printable, and only our own colours speak to the terminal', () => {
  const line = ['a\u001b[2J ', { text: 'bad\u0007', tone: 'bad' }] as const;
  expect(toText(line, plain)).toBe('a\\x1b[2J bad\\x07');
  expect(toText(line, { colours: true })).toBe('a\\x1b[2J \u001b[31mbad\\x07\u001b[39m');
});

test('line: it is cut at the width of the terminal, wide characters counted twice, escapes as they are shown', () => {
  const cut = (line: Line, columns: number | null) => toText(cutLine(line, columns), plain);
  expect(cut('abcdef', 4)).toBe('abc…');
  expect(cut('abcd', 4)).toBe('abcd');
  expect(cut('abcdef', null)).toBe('abcdef');
  expect(cut('日本語', 5)).toBe('日本…');
  expect(cut('👩‍👩‍👧abc', 4)).toBe('👩‍👩‍👧a…');
  expect(cut('\u001b[2J', 5)).toBe('\\x1b…');
  expect(cut(['ab', { text: 'cdef', tone: 'good' }, 'gh'], 4)).toBe('abc…');
});

/** A stream with what was written to it; a terminal of so many columns, or none. */
function aStream(columns: number | null) {
  const stream: OutputStream = new PassThrough();
  if (columns !== null) Object.assign(stream, { isTTY: true, columns });
  return { stream, written: () => String((stream as PassThrough).read() ?? '') };
}

test('output: on a terminal lines are coloured and its width is told, elsewhere neither; nothing is cut', () => {
  const line = [{ text: 'failed', tone: 'bad' } as const, ' and so on'];
  const terminal = aStream(10);
  const output = createOutput({}, terminal.stream);
  output.lines([line]);
  expect(output.columns).toBe(10);
  expect(terminal.written()).toBe('\u001b[31mfailed\u001b[39m and so on\n');
  const pipe = aStream(null);
  const piped = createOutput({}, pipe.stream);
  piped.lines([line]);
  expect(piped.columns).toBeNull();
  expect(pipe.written()).toBe('failed and so on\n');
});

test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('output: no colours with %o', (environment) => {
  const { stream, written } = aStream(80);
  createOutput(environment, stream).lines([[{ text: 'failed', tone: 'bad' }]]);
  expect(written()).toBe('failed\n');
});

test('output: it is closed when nobody reads any more', () => {
  const { stream } = aStream(null);
  const output = createOutput({}, stream);
  expect(output.closed.aborted).toBe(false);
  stream.emit('error', new Error('EPIPE'));
  expect(output.closed.aborted).toBe(true);
});
