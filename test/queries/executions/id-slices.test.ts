import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toSlices } from '../../../queries/executions/list.ts';

const anyTime = fc.date({
  min: new Date('2020-01-01T00:00:00Z'),
  max: new Date('2030-01-01T00:00:00Z'),
  noInvalidDate: true,
});

test('list slices: the newest first, each begins where the next ends, together they are the window', () => {
  fc.assert(
    fc.property(fc.option(anyTime), anyTime, (since, until) => {
      fc.pre(since === null || since < until);
      const slices = toSlices({ since, until }, null);
      expect(slices[0]?.until).toEqual(until);
      expect(slices.at(-1)?.since).toEqual(since);
      for (const [index, slice] of slices.slice(1).entries()) expect(slices[index]?.since).toEqual(slice.until);
      for (const { since, until } of slices) expect(since === null || since < until).toBe(true);
    }),
  );
});

test('list slices: they end with the row that was read last, which others may share the time of', () => {
  const window = { since: null, until: new Date('2026-03-10T00:00:00Z') };
  const after = { recordedAt: new Date('2026-03-05T00:00:00Z'), id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f' };
  expect(toSlices(window, after).map(({ until }) => until.toISOString())).toEqual([
    '2026-03-05T00:00:00.001Z',
    '2026-03-04T00:00:00.001Z',
    '2026-02-25T00:00:00.001Z',
  ]);
});

test('list slices: a day is one', () => {
  const until = new Date('2026-03-10T00:00:00Z');
  expect(toSlices({ since: new Date('2026-03-09T00:00:00Z'), until }, null)).toHaveLength(1);
});
