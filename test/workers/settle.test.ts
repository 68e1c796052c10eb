import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BatchEntry } from '../../workers/batcher.ts';
import { settleEntries } from '../../workers/settle.ts';

const databaseError = (code: string) => Object.assign(new Error(`database says ${code}`), { code });
const entriesOf = (count: number): BatchEntry[] =>
  Array.from({ length: count }, (_, n) => ({ json: `[${n}]`, records: 1 }));
const numbersOf = (entries: readonly BatchEntry[]): number[] => entries.map(({ json }) => JSON.parse(json)[0]);

/** A database that refuses a statement with any of the guilty entries in it, and commits all others. */
function databaseWith(guilty: ReadonlySet<number>, code = '22P02') {
  const statements: number[][] = [];
  const committed: number[] = [];
  const write = async (entries: readonly BatchEntry[]): Promise<void> => {
    const numbers = numbersOf(entries);
    statements.push(numbers);
    if (numbers.some((number) => guilty.has(number))) throw databaseError(code);
    committed.push(...numbers);
  };
  return { statements, committed, write };
}

test('settle: entries that are all well take one statement', async () => {
  const { statements, write } = databaseWith(new Set());
  expect(await settleEntries(entriesOf(4), write)).toEqual([null, null, null, null]);
  expect(statements).toEqual([[0, 1, 2, 3]]);
});

test('settle: only the entry at fault fails, and the others are committed', async () => {
  const { statements, committed, write } = databaseWith(new Set([2]));
  expect(await settleEntries(entriesOf(4), write)).toEqual([null, null, databaseError('22P02'), null]);
  expect(committed).toEqual([0, 1, 3]);
  expect(statements).toEqual([[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]);
});

test('settle: one entry alone is not halved', async () => {
  const { statements, write } = databaseWith(new Set([0]));
  expect(await settleEntries(entriesOf(1), write)).toEqual([databaseError('22P02')]);
  expect(statements).toHaveLength(1);
});

test('settle: when all are at fault, all fail', async () => {
  const { committed, write } = databaseWith(new Set([0, 1, 2]));
  const outcomes = await settleEntries(entriesOf(3), write);
  expect(outcomes).toEqual([1, 2, 3].map(() => databaseError('22P02')));
  expect(committed).toEqual([]);
});

test('settle: of nothing, nothing is said', async () => {
  expect(await settleEntries([], async () => undefined)).toEqual([]);
});

test.each(['22P02', '22021', '23502', '23514', '54000', '21000'])(
  'settle: %s is in the rows, so the batch is halved',
  async (code) => {
    const { statements, write } = databaseWith(new Set([1]), code);
    expect(await settleEntries(entriesOf(2), write)).toEqual([null, databaseError(code)]);
    expect(statements).toHaveLength(3);
  },
);

test.each(['08006', '40001', '57P01', '42P01', '28P01', '23505', 'XX000', 'ECONNRESET', 'P2024'])(
  'settle: %s is not in the rows, so nothing is halved and all have the same error',
  async (code) => {
    const { statements, write } = databaseWith(new Set([1]), code);
    const outcomes = await settleEntries(entriesOf(4), write);
    expect(outcomes).toEqual([0, 1, 2, 3].map(() => databaseError(code)));
    expect(new Set(outcomes).size).toBe(1);
    expect(statements).toHaveLength(1);
  },
);

test('settle: trouble while halving fails the half that it struck, and not what is committed', async () => {
  const lost = databaseError('08006');
  const write = async (entries: readonly BatchEntry[]): Promise<void> => {
    const numbers = numbersOf(entries);
    if (numbers.length === 4) throw databaseError('22P02');
    if (numbers.includes(2)) throw lost;
  };
  expect(await settleEntries(entriesOf(4), write)).toEqual([null, null, lost, lost]);
});

test('settle: what was thrown and is no Error becomes one', async () => {
  const [outcome] = await settleEntries(entriesOf(1), () => Promise.reject('just words'));
  expect(outcome).toEqual(new Error('just words'));
});

test('settle: exactly the guilty fail, all others are committed once, within 2·k·⌈log2 n⌉ + 1 statements', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat(199)), async (count, drawn) => {
      const guilty = new Set(drawn.filter((number) => number < count));
      const { statements, committed, write } = databaseWith(guilty);
      const entries = entriesOf(count);
      const outcomes = await settleEntries(entries, write);
      const all = numbersOf(entries);
      expect(all.filter((number) => outcomes[number] !== null)).toEqual(all.filter((number) => guilty.has(number)));
      expect(outcomes).toHaveLength(count);
      expect(committed).toEqual(all.filter((number) => !guilty.has(number)));
      expect(statements.length).toBeLessThanOrEqual(2 * guilty.size * Math.ceil(Math.log2(count)) + 1);
    }),
    { numRuns: 300 },
  );
});
