import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BatchEntry } from '../../../workers/ingest/batcher.ts';
import { type PartResult, writeInParts } from '../../../workers/ingest/parts.ts';

const cause = { code: '57014', reason: 'took too long' };
const numbers = (count: number): BatchEntry[] => [
  { json: JSON.stringify(Array.from({ length: count }, (_, n) => n)), records: count },
];

/** A database that can write so many records at a time, and none that is locked. */
function databaseWith({ most = Number.POSITIVE_INFINITY, locked = [] as number[] }) {
  const stored: number[] = [];
  let statements = 0;
  const write = async (entries: readonly BatchEntry[]): Promise<PartResult> => {
    statements += 1;
    const all = entries.flatMap(({ json }) => JSON.parse(json) as number[]);
    if (all.length > most || all.some((number) => locked.includes(number))) return { failedWith: cause };
    stored.push(...all);
    return { unstored: [] };
  };
  return { stored, write, statements: () => statements };
}

test('parts: what is too much at once is written in parts, in order', async () => {
  const { stored, write } = databaseWith({ most: 30 });
  expect(await writeInParts(numbers(100), write, cause)).toEqual([]);
  expect(stored).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test('parts: one record that is locked is left for later, the others are written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 1_000 }), fc.nat(), async (count, drawn) => {
      const locked = drawn % count;
      const { stored, write, statements } = databaseWith({ locked: [locked] });
      const left = await writeInParts(numbers(count), write, cause);
      expect(left).toEqual([{ index: locked, ...cause, disposition: 'retryLater' }]);
      expect(stored).toHaveLength(count - 1);
      expect(statements()).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count)));
    }),
  );
});

test('parts: when everything is locked, it gives up after a few failures', async () => {
  const { write, statements } = databaseWith({ most: 0 });
  const left = await writeInParts(numbers(1_000), write, cause);
  expect(left.map(({ index }) => index)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  expect(statements()).toBe(12);
});

test('parts: what the statement itself leaves out keeps its place', async () => {
  const conflict = { code: 'conflict', reason: 'r', disposition: 'retryLimited' as const };
  const write = async ([entry]: readonly BatchEntry[]): Promise<PartResult> => {
    const index = (JSON.parse(entry?.json ?? '[]') as number[]).indexOf(7);
    return { unstored: index === -1 ? [] : [{ index, ...conflict }] };
  };
  expect(await writeInParts(numbers(10), write, cause)).toEqual([{ index: 7, ...conflict }]);
});

test('parts: a single record is left for later without another try', async () => {
  const { write, statements } = databaseWith({});
  expect(await writeInParts(numbers(1), write, cause)).toEqual([{ index: 0, ...cause, disposition: 'retryLater' }]);
  expect(statements()).toBe(0);
});
