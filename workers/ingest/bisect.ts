import { toError } from '../../shared/platform/errors.ts';
import { classifyDatabaseError, isPassingRefusal } from '../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { OwnFaultError } from '../runtime/circuit-breaker.ts';
import type { BatchEntry, LedgerEntry } from './batcher.ts';
import { ledgerOf } from './ledger-entries.ts';
import { startsOf, toEntry } from './parts.ts';
import type { Unstored } from './queue-definition.ts';
import { recordTexts } from './record-texts.ts';

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
 * What a statement is written for: all that came together, a part of it to find what is at fault, or what cannot be made
 * smaller, whose refusal is final.
 */
export type WritePurpose = 'batch' | 'part' | 'last';

/**
 * Commits the records of all the entries in one statement, or throws and commits none. What is thrown and is in the rows, or
 * an OwnFaultError, makes it be taken apart.
 *
 * @returns those that the statement itself left out, counted over all the entries
 */
export type WriteEntries = (entries: readonly BatchEntry[], purpose: WritePurpose) => Promise<readonly Unstored[]>;

/** An entry cannot be taken apart: its text is not what its parser took it for, or is nested too deeply. */
export class UnreadableEntryError extends Error {
  override readonly name = 'UnreadableEntryError';
}

/**
 * Writes entries in one statement, and when the database refuses it for something in the rows, or again and again while it
 * takes others, finds the single records that are at fault. All others commit. A record is at fault only when a statement
 * with nothing else in it was refused.
 *
 * For k bad records of n that takes at most 2·k·log2(n) + 1 calls of `write`, each of which may try more than once: a binary search for one bad record commits every
 * good half that it meets, and what it has not looked at is tried together. Each record is written as the very text that
 * came.
 *
 * @returns for each entry, in order: null when all its records are committed, a RefusedRecordsError when all but some
 *   are, an UnreadableEntryError, or the error that kept it from being settled
 */
export async function bisectEntries(entries: readonly BatchEntry[], write: WriteEntries): Promise<(Error | null)[]> {
  try {
    const [first, ...more] = entries;
    const isLast = first?.records === 1 && more.length === 0;
    const unstored = await write(entries, isLast ? 'last' : 'batch');
    if (unstored.length === 0) return entries.map(() => null);
    return toOutcomes(entries, locate(entries, unstored));
  } catch (thrown) {
    if (!isInTheRows(thrown)) return entries.map(() => toError(thrown));
    const records = toRecords(entries);
    if (records === null) return settleOneByOne(entries, thrown, write);
    try {
      return toOutcomes(entries, await isolate(records, thrown, write));
    } catch (other) {
      // Repeating the good records that were committed on the way changes nothing.
      return entries.map(() => toError(other));
    }
  }
}

/** An entry that cannot be read must not take the others with it. */
async function settleOneByOne(
  entries: readonly BatchEntry[],
  thrown: unknown,
  write: WriteEntries,
): Promise<(Error | null)[]> {
  if (entries.length === 1) return [await settleWhole(entries, thrown, write)];
  const outcomes: (Error | null)[] = [];
  for (const entry of entries) outcomes.push(...(await bisectEntries([entry], write)));
  return outcomes;
}

/** An entry that cannot be made smaller, and was refused with `thrown`. */
async function settleWhole(
  entries: readonly BatchEntry[],
  thrown: unknown,
  write: WriteEntries,
): Promise<Error | null> {
  try {
    const unstored = await write(entries, 'last');
    return unstored.length === 0 ? null : new RefusedRecordsError(unstored);
  } catch (again) {
    return isInTheRows(again) ? new UnreadableEntryError(explainDatabaseError(thrown)) : toError(again);
  }
}

interface Item {
  json: string;
  ledger: LedgerEntry | null;
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
      const purpose = items.length === 1 ? 'last' : 'part';
      const unstored = await write([toEntry(items)], purpose);
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
  const refuse = ({ entry, index }: Item, thrown: unknown): void => {
    const { class: errorClass, code } = classifyDatabaseError(thrown);
    // It is there already: as good as stored.
    if (errorClass === 'duplicate') return;
    const disposition = isPassingRefusal(thrown) ? 'retryLater' : 'deadLetter';
    refused.push({ entry, refusal: { index, code, reason: explainDatabaseError(thrown), disposition } });
  };

  let suspects = records;
  let reason: unknown = refusal;
  while (suspects.length > 0) {
    let [from, until] = [0, suspects.length];
    // Whether a statement with exactly the records between from and until was refused, not only one with more in it.
    let isSeen = true;
    while (until - from > 1) {
      // The smaller half first: what is left of three is then two, and not one that has to be tried once more.
      const middle = from + Math.floor((until - from) / 2);
      const refusalOfHalf = await tryToWrite(suspects.slice(from, middle));
      if (refusalOfHalf === null) {
        from = middle;
        isSeen = false;
      } else {
        until = middle;
        isSeen = true;
        reason = refusalOfHalf;
      }
    }
    const [last] = suspects.slice(from, until);
    if (last !== undefined) {
      // By elimination it is the one, but what refused the others may have gone meanwhile.
      if (!isSeen) reason = await tryToWrite([last]);
      if (reason !== null) refuse(last, reason);
    }
    suspects = suspects.slice(until);
    if (suspects.length === 0) break;
    reason = await tryToWrite(suspects);
    if (reason === null) break;
  }
  return refused;
}

function isInTheRows(thrown: unknown): boolean {
  if (thrown instanceof OwnFaultError) return true;
  const { class: errorClass } = classifyDatabaseError(thrown);
  return errorClass === 'data' || errorClass === 'duplicate';
}

/** Null when one of the texts cannot be read. */
function toRecords(entries: readonly BatchEntry[]): Item[] | null {
  try {
    return entries.flatMap((item, entry) => {
      const texts = recordTexts(item.json);
      if (texts.length !== item.records) throw new RangeError('the entry has another number of records than it says');
      const places = ledgerOf(item);
      return texts.map((json, index) => ({ json, ledger: places[index] ?? null, entry, index }));
    });
  } catch {
    return null;
  }
}

/** From places over all the entries to places in each. */
function locate(entries: readonly BatchEntry[], unstored: readonly Unstored[]): Located[] {
  const starts = startsOf(entries);
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
