import fc from 'fast-check';
import { expect, test } from 'vitest';
import { truncateTrace } from '../../../producers/core/truncate-trace.ts';

const entries = (count: number) => Array.from({ length: count }, (_, index) => ({ nodeId: `n${index}` }));
const ids = (list: unknown[] | null) => list?.map((entry) => (entry as { nodeId: string }).nodeId);

test.each([null, undefined])('trace: none (%s) stays none', (none) => {
  expect(truncateTrace(none, 5)).toEqual({ entries: null, originalLength: null, note: null });
});

test('trace: under the limit, it is equal but a copy', () => {
  const trace = entries(3);
  const cut = truncateTrace(trace, 5);
  expect(cut).toEqual({ entries: trace, originalLength: 3, note: null });
  expect(cut.entries).not.toBe(trace);
});

test('trace: exactly at the limit, nothing is cut', () => {
  expect(truncateTrace(entries(5), 5)).toEqual({ entries: entries(5), originalLength: 5, note: null });
});

test('trace: an empty one is a trace', () => {
  expect(truncateTrace([], 5)).toEqual({ entries: [], originalLength: 0, note: null });
});

test('trace: over the limit, head and tail are kept in order, and the note counts both', () => {
  const cut = truncateTrace(entries(10), 4);
  expect(ids(cut.entries)).toEqual(['n0', 'n1', 'n8', 'n9']);
  expect(cut.originalLength).toBe(10);
  expect(cut.note).toBe('trace cut from 10 to 4 entries: the first 2 and the last 2 are kept');
});

test('trace: of an odd limit, the head gets the larger half', () => {
  expect(ids(truncateTrace(entries(10), 5).entries)).toEqual(['n0', 'n1', 'n2', 'n8', 'n9']);
});

test('trace: a limit of 1 keeps the first entry', () => {
  expect(ids(truncateTrace(entries(10), 1).entries)).toEqual(['n0']);
});

test.each([0, -1])('trace: a limit of %i keeps everything', (limit) => {
  const trace = entries(300);
  const cut = truncateTrace(trace, limit);
  expect(cut).toEqual({ entries: trace, originalLength: 300, note: null });
  expect(cut.entries).not.toBe(trace);
});

test('trace: the entry that decided the points, at the end, is never cut away', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 50 }), fc.nat(100), (limit, count) => {
      const trace = entries(count);
      const cut = truncateTrace(trace, limit);
      expect(cut.entries).toHaveLength(Math.min(limit, count));
      expect(cut.entries?.at(-1)).toBe(trace.at(-1));
      expect(cut.entries?.[0]).toBe(trace[0]);
      expect(cut.note === null).toBe(count <= limit);
    }),
  );
});
