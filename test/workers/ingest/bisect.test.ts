import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BatchEntry } from '../../../workers/ingest/batcher.ts';
import {
  bisectEntries,
  RefusedRecordsError,
  UnreadableEntryError,
  type WritePurpose,
} from '../../../workers/ingest/bisect.ts';
import type { Unstored } from '../../../workers/ingest/queue-definition.ts';
import { OwnFaultError } from '../../../workers/runtime/circuit-breaker.ts';

const databaseError = (code: string) => Object.assign(new Error(`database says ${code}`), { code, severity: 'ERROR' });
const entriesOf = (count: number): BatchEntry[] =>
  Array.from({ length: count }, (_, n) => ({ json: `[${n}]`, records: 1 }));
const numbersOf = (entries: readonly BatchEntry[]): number[] => entries.flatMap(({ json }) => JSON.parse(json));

/** Which records of which entries were refused, as entry:index=code. */
const refusedOf = (outcomes: readonly (Error | null)[]): string[] =>
  outcomes.flatMap((outcome, entry) =>
    outcome instanceof RefusedRecordsError
      ? outcome.refusals.map(({ index, code }) => `${entry}:${index}=${code}`)
      : [],
  );

/** A database that refuses a statement with any of the guilty entries in it, and commits all others. */
function databaseWith(
  guilty: ReadonlySet<number>,
  code = '22P02',
  unstored: (numbers: readonly number[]) => Unstored[] = () => [],
) {
  const statements: number[][] = [];
  const committed: number[] = [];
  const write = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    const numbers = numbersOf(entries);
    statements.push(numbers);
    if (numbers.some((number) => guilty.has(number))) throw databaseError(code);
    committed.push(...numbers);
    return unstored(numbers);
  };
  return { statements, committed, write };
}

test('bisect: entries that are all well take one statement', async () => {
  const { statements, write } = databaseWith(new Set());
  expect(await bisectEntries(entriesOf(4), write)).toEqual([null, null, null, null]);
  expect(statements).toEqual([[0, 1, 2, 3]]);
});

test('bisect: only the record at fault is refused, and the others are committed', async () => {
  const { statements, committed, write } = databaseWith(new Set([2]));
  const outcomes = await bisectEntries(entriesOf(4), write);
  expect(refusedOf(outcomes)).toEqual(['2:0=22P02']);
  expect(outcomes.map((outcome) => outcome === null)).toEqual([true, true, false, true]);
  expect(committed).toEqual([0, 1, 3]);
  expect(statements).toEqual([[0, 1, 2, 3], [0, 1], [2], [3]]);
});

test('bisect: a record inside of an entry is refused alone, with what the server said', async () => {
  const { committed, write } = databaseWith(new Set([12, 21]));
  const entries = [[10, 11, 12, 13], [20, 21], [30]].map((numbers) => ({
    json: JSON.stringify(numbers),
    records: numbers.length,
  }));
  const outcomes = await bisectEntries(entries, write);
  expect(refusedOf(outcomes)).toEqual(['0:2=22P02', '1:1=22P02']);
  expect(outcomes[0]).toMatchObject({ refusals: [{ reason: '22P02: database says 22P02' }] });
  expect(committed.sort()).toEqual([10, 11, 13, 20, 30]);
});

test('bisect: one record alone takes no second statement', async () => {
  const { statements, write } = databaseWith(new Set([0]));
  expect(refusedOf(await bisectEntries(entriesOf(1), write))).toEqual(['0:0=22P02']);
  expect(statements).toHaveLength(1);
});

test('bisect: when all are at fault, all are refused', async () => {
  const { committed, write } = databaseWith(new Set([0, 1, 2]));
  expect(refusedOf(await bisectEntries(entriesOf(3), write))).toEqual(['0:0=22P02', '1:0=22P02', '2:0=22P02']);
  expect(committed).toEqual([]);
});

test('bisect: of nothing, nothing is said', async () => {
  expect(await bisectEntries([], async () => [])).toEqual([]);
});

test.each(['22P02', '22021', '23502', '23514', '54000', '21000'])(
  'bisect: %s is in the rows, so the batch is halved',
  async (code) => {
    const { statements, write } = databaseWith(new Set([1]), code);
    expect(refusedOf(await bisectEntries(entriesOf(2), write))).toEqual([`1:0=${code}`]);
    // All; the first, which is good; and the second alone, so that it is not dead by elimination.
    expect(statements).toHaveLength(3);
  },
);

test.each(['08006', '40001', '57P01', '42P01', '28P01', 'XX000', 'ECONNRESET', 'P2024'])(
  'bisect: %s is not in the rows, so nothing is halved and all have the same error',
  async (code) => {
    const { statements, write } = databaseWith(new Set([1]), code);
    const outcomes = await bisectEntries(entriesOf(4), write);
    expect(outcomes).toEqual([0, 1, 2, 3].map(() => databaseError(code)));
    expect(new Set(outcomes).size).toBe(1);
    expect(statements).toHaveLength(1);
  },
);

test('bisect: a statement at fault is halved whatever its code, and what cannot be made smaller is written as the last', async () => {
  const purposes: string[] = [];
  const write = async (entries: readonly BatchEntry[], purpose: WritePurpose): Promise<readonly Unstored[]> => {
    const numbers = numbersOf(entries);
    purposes.push(`${purpose} ${numbers.length}`);
    if (numbers.includes(2)) throw new OwnFaultError(databaseError('XX000'));
    return [];
  };
  expect(refusedOf(await bisectEntries(entriesOf(8), write))).toEqual(['2:0=XX000']);
  expect(purposes).toEqual(['batch 8', 'part 4', 'part 2', 'last 1', 'part 5']);
});

test('bisect: trouble while searching leaves all entries unsettled, to be delivered again', async () => {
  const lost = databaseError('08006');
  const write = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    const numbers = numbersOf(entries);
    if (numbers.length === 4) throw databaseError('22P02');
    if (numbers.includes(2)) throw lost;
    return [];
  };
  expect(await bisectEntries(entriesOf(4), write)).toEqual([lost, lost, lost, lost]);
});

test('bisect: what was thrown and is no Error becomes one', async () => {
  const [outcome] = await bisectEntries(entriesOf(1), () => Promise.reject('just words'));
  expect(outcome).toEqual(new Error('just words'));
});

test('bisect: exactly the guilty are refused, all others committed once, within 2·k·log2(n) + 1 statements', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(899)),
      async (sizes, drawn) => {
        const count = sizes.reduce((sum, size) => sum + size, 0);
        const guilty = new Set(drawn.filter((number) => number < count));
        let next = 0;
        const entries = sizes.map((size) => {
          const numbers = Array.from({ length: size }, () => next++);
          return { json: JSON.stringify(numbers), records: size };
        });
        const { statements, committed, write } = databaseWith(guilty);
        const outcomes = await bisectEntries(entries, write);

        const all = numbersOf(entries);
        const refused = outcomes.flatMap((outcome, entry) =>
          outcome instanceof RefusedRecordsError
            ? outcome.refusals.map(({ index }) => numbersOf([entries[entry] ?? { json: '[]', records: 0 }])[index])
            : [],
        );
        expect(refused.sort((a = 0, b = 0) => a - b)).toEqual(all.filter((number) => guilty.has(number)));
        expect(committed.sort((a, b) => a - b)).toEqual(all.filter((number) => !guilty.has(number)));
        expect(statements.length).toBeLessThanOrEqual(2 * guilty.size * Math.log2(count) + 1);
      },
    ),
    { numRuns: 500 },
  );
});

test('bisect: nobody is at fault when what refused the batch has gone meanwhile', async () => {
  let refusals = 0;
  const write = async (): Promise<readonly Unstored[]> => {
    refusals += 1;
    if (refusals === 1) throw databaseError('23514');
    return [];
  };
  expect(await bisectEntries(entriesOf(5), write)).toEqual([null, null, null, null, null]);
});

test('bisect: one bad record among few stays within the bound, wherever it is', async () => {
  for (let count = 2; count <= 40; count += 1) {
    for (let bad = 0; bad < count; bad += 1) {
      const { statements, write } = databaseWith(new Set([bad]));
      expect(refusedOf(await bisectEntries(entriesOf(count), write))).toEqual([`${bad}:0=22P02`]);
      expect(statements.length, `${bad} of ${count}`).toBeLessThanOrEqual(2 * Math.log2(count) + 1);
    }
  }
});

test('bisect: a record that is there already, of which the statement did not say so, is as good as stored', async () => {
  const { committed, write } = databaseWith(new Set([2]), '23505');
  expect(await bisectEntries(entriesOf(4), write)).toEqual([null, null, null, null]);
  expect(committed).toEqual([0, 1, 3]);
});

test('bisect: records are written as they came, with all digits', async () => {
  const written: string[] = [];
  const write = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    written.push(...entries.map(({ json }) => json));
    if (entries.some(({ json }) => json.includes('2.0'))) throw databaseError('22P02');
    return [];
  };
  const entries = [
    { json: '[12345678901234567890]', records: 1 },
    { json: '[2.0]', records: 1 },
  ];
  expect(refusedOf(await bisectEntries(entries, write))).toEqual(['1:0=22P02']);
  expect(written).toContain('[12345678901234567890]');
});

test.each([
  ['is nested too deeply to be taken apart', `[${'['.repeat(50_000)}${']'.repeat(50_000)}]`],
  ['is no JSON', '[1],"records":[2]'],
  ['has another number of records than it says', '[1,2]'],
])('bisect:an entry that %s fails alone', async (_what, json) => {
  const stored: string[] = [];
  const write = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    if (entries.some((entry) => entry.json === json)) throw databaseError('54001');
    stored.push(...entries.map((entry) => entry.json));
    return [];
  };
  const [first, odd, last] = await bisectEntries(
    [
      { json: '["a"]', records: 1 },
      { json, records: 1 },
      { json: '["b"]', records: 1 },
    ],
    write,
  );
  expect([first, last]).toEqual([null, null]);
  expect(odd).toBeInstanceOf(UnreadableEntryError);
  expect(stored).toEqual(['["a"]', '["b"]']);
});

/** A statement that goes through and leaves these records out. */
const leavingOut = (left: ReadonlySet<number>) => (numbers: readonly number[]) =>
  numbers.flatMap((number, index) =>
    left.has(number) ? [{ index, code: 'conflict', reason: 'r', disposition: 'retryLimited' as const }] : [],
  );

test('bisect: a record that the statement itself left out is told by its place in its entry', async () => {
  const { committed, write } = databaseWith(new Set(), '22P02', leavingOut(new Set([10, 21, 30])));
  const entries = [[10, 11], [20, 21, 22], [30]].map((numbers) => ({
    json: JSON.stringify(numbers),
    records: numbers.length,
  }));
  const outcomes = await bisectEntries(entries, write);
  expect(refusedOf(outcomes)).toEqual(['0:0=conflict', '1:1=conflict', '2:0=conflict']);
  expect(outcomes[1]).toMatchObject({ refusals: [{ disposition: 'retryLimited' }] });
  expect(committed).toHaveLength(6);
});

test('bisect: so it is when another record of the batch is refused', async () => {
  const { write } = databaseWith(new Set([22]), '22P02', leavingOut(new Set([10, 30])));
  const entries = [[10, 11], [20, 21, 22], [30]].map((numbers) => ({
    json: JSON.stringify(numbers),
    records: numbers.length,
  }));
  expect(refusedOf(await bisectEntries(entries, write)).sort()).toEqual(['0:0=conflict', '1:2=22P02', '2:0=conflict']);
});
