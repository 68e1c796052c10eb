import { classifyDatabaseError, explainDatabaseError } from '../shared/database-errors.ts';
import { toError } from '../shared/errors.ts';
import { parseExactly } from '../shared/exact-json.ts';
import type { BatchEntry } from './batcher.ts';
import type { Unstored } from './records/kind.ts';

/** A record that the database does not accept, by its place in its entry: the code is a SQLSTATE or names the cause. */
export type Refusal = Unstored;

/** Some records of an entry were refused; all its others are committed. */
export class RefusedRecordsError extends Error {
  override readonly name = 'RefusedRecordsError';
  readonly refusals: readonly Refusal[];

  constructor(refusals: readonly Refusal[]) {
    super(`the database refused ${refusals.length} records: ${refusals[0]?.code}`);
    this.refusals = refusals;
  }
}

/**
 * Commits the records of all the entries in one statement, or throws and commits none.
 *
 * @returns those that the statement itself left out, counted over all the entries
 */
export type WriteEntries = (entries: readonly BatchEntry[]) => Promise<readonly Unstored[]>;

/**
 * Writes entries in one statement, and when the database refuses it for something in the rows, finds the single records
 * that are at fault. All others commit.
 *
 * For k bad records of n that takes at most k·(⌈log2 n⌉ + 1) + 1 statements, which is within 2·k·log2(n) + 1: a binary
 * search for one bad record commits every good half that it meets, and what it has not looked at is tried together.
 *
 * @returns for each entry, in order: null when all its records are committed, a RefusedRecordsError when all but some
 *   are, or the error that kept it from being settled
 */
export async function settleEntries(entries: readonly BatchEntry[], write: WriteEntries): Promise<(Error | null)[]> {
  try {
    const unstored = await write(entries);
    if (unstored.length === 0) return entries.map(() => null);
    return toOutcomes(entries, locate(entries, unstored));
  } catch (thrown) {
    if (!isInTheRows(thrown)) return entries.map(() => toError(thrown));
    try {
      return toOutcomes(entries, await isolate(toRecords(entries), thrown, write));
    } catch (other) {
      // Repeating the good records that were committed on the way changes nothing.
      return entries.map(() => toError(other));
    }
  }
}

interface Item {
  json: string;
  entry: number;
  index: number;
}

/** Where a refused record stands. */
type Located = Pick<Item, 'entry'> & { refusal: Refusal };

/** Finds every bad record among records of which a statement was refused with `refusal`, and commits the good ones. */
async function isolate(records: readonly Item[], refusal: unknown, write: WriteEntries): Promise<Located[]> {
  const refused: Located[] = [];
  const tryToWrite = async (items: readonly Item[]): Promise<unknown> => {
    try {
      const unstored = await write([toEntry(items)]);
      for (const one of unstored) {
        const item = items[one.index];
        if (item) refused.push({ entry: item.entry, refusal: { ...one, index: item.index } });
      }
      return null;
    } catch (thrown) {
      if (!isInTheRows(thrown)) throw thrown;
      return thrown;
    }
  };

  let suspects = records;
  let reason = refusal;
  while (suspects.length > 0) {
    let [from, until] = [0, suspects.length];
    // What lies between from and until has a bad record, and the reason is that record's or another's in there.
    while (until - from > 1) {
      const middle = from + Math.ceil((until - from) / 2);
      const refusalOfHalf = await tryToWrite(suspects.slice(from, middle));
      if (refusalOfHalf === null) {
        from = middle;
      } else {
        until = middle;
        reason = refusalOfHalf;
      }
    }
    const [bad] = suspects.slice(from, until);
    if (bad !== undefined) refused.push({ entry: bad.entry, refusal: toRefusal(bad.index, reason) });
    suspects = suspects.slice(until);
    if (suspects.length === 0) break;
    reason = await tryToWrite(suspects);
    if (reason === null) break;
  }
  return refused;
}

function isInTheRows(thrown: unknown): boolean {
  return classifyDatabaseError(thrown).class === 'data';
}

function toRecords(entries: readonly BatchEntry[]): Item[] {
  return entries.flatMap(({ json }, entry) =>
    (parseExactly(json) as unknown[]).map((record, index) => ({ json: JSON.stringify(record), entry, index })),
  );
}

function toEntry(items: readonly Item[]): BatchEntry {
  return { json: `[${items.map(({ json }) => json).join(',')}]`, records: items.length };
}

function toRefusal(index: number, thrown: unknown): Refusal {
  return { index, code: classifyDatabaseError(thrown).code, reason: explainDatabaseError(thrown), mayComeRight: false };
}

/** From places over all the entries to places in each. */
function locate(entries: readonly BatchEntry[], unstored: readonly Unstored[]): Located[] {
  const starts: number[] = [];
  let start = 0;
  for (const { records } of entries) {
    starts.push(start);
    start += records;
  }
  return unstored.map((one) => {
    const entry = starts.findLastIndex((first) => first <= one.index);
    return { entry, refusal: { ...one, index: one.index - (starts[entry] ?? 0) } };
  });
}

function toOutcomes(entries: readonly BatchEntry[], refused: readonly Located[]): (Error | null)[] {
  const refusals: Refusal[][] = entries.map(() => []);
  for (const { entry, refusal } of refused) refusals[entry]?.push(refusal);
  return refusals.map((list) => (list.length === 0 ? null : new RefusedRecordsError(list)));
}
