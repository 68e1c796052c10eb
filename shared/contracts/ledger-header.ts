import { type Chunk, ledgerChunkVersion, type PlaceRange, type RecordRun } from './chunk.ts';
import { executionLimits } from './execution.ts';

/** What a chunk says of itself to the ledger: its place in its life, and whose its records are. */
export interface LedgerHeader {
  /** records in the earlier chunks of the life */
  before: number;
  /** of the whole chunk, in the order of its records; their counts add up to its size */
  of: readonly RecordRun[];
  /** the place of the first record among those of the whole chunk that were not erased; null: this is the whole chunk */
  from: number | null;
  /** places whose records were taken out by an erasure, ascending */
  erased: readonly PlaceRange[];
}

/** The realm of records that are not told apart: there are more realms than are counted. One that was erased has digits behind it. */
export const unnamedRealm = '*';

/** 9999-12-30, in minutes since 1970. */
export const latestMinute = 4_223_371_679;

export const mostRealmChars = executionLimits.identifierChars;

/** The largest chunk that the settings allow has a tenth. What says that it has more has no account. */
export const mostLedgerRecords = 100_000;

/** The members of a chunk between `seq` and `records` as its text has them, without the comma behind. Null when they are something else. */
export function readLedgerHeader(text: string): LedgerHeader | null {
  try {
    return toLedgerHeader(JSON.parse(`{${text}}`));
  } catch {
    return null;
  }
}

/** Null when the chunk is of a version without it, or says something else. */
export function ledgerHeaderOf({ v, before, of, from, erased }: Omit<Chunk, 'records'>): LedgerHeader | null {
  if (v !== ledgerChunkVersion || before === undefined || of === undefined) return null;
  const members = { before, of, from, erased };
  return toLedgerHeader(Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)));
}

/** How many records the whole chunk has. */
export function recordsOf({ of }: Pick<LedgerHeader, 'of'>): number {
  return of.reduce((sum, [, , count]) => sum + count, 0);
}

function toLedgerHeader(members: Record<string, unknown>): LedgerHeader | null {
  const { before, of, from = null, erased = [], ...others } = members;
  if (Object.keys(others).length > 0 || !isWhole(before, Number.MAX_SAFE_INTEGER)) return null;
  if (from !== null && !isWhole(from, mostLedgerRecords)) return null;
  if (!areRuns(of) || recordsOf({ of }) > mostLedgerRecords) return null;
  return areRanges(erased) ? { before, of, from, erased } : null;
}

function areRuns(value: unknown): value is RecordRun[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRun);
}

function isRun(value: unknown): value is RecordRun {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [realm, minute, count] = value as unknown[];
  const isRealm = realm === null || (typeof realm === 'string' && realm.length <= mostRealmChars);
  return isRealm && isWhole(minute, latestMinute) && isWhole(count, mostLedgerRecords) && count > 0;
}

function areRanges(value: unknown): value is PlaceRange[] {
  if (!Array.isArray(value)) return false;
  let at = 0;
  return value.every((range: unknown) => {
    if (!Array.isArray(range) || range.length !== 2) return false;
    const [from, until] = range as unknown[];
    if (!isWhole(from, mostLedgerRecords) || !isWhole(until, mostLedgerRecords) || from < at || until <= from)
      return false;
    at = until;
    return true;
  });
}

function isWhole(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
