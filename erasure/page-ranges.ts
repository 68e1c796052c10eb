import { pause } from '../shared/platform/deadline.ts';
import { type Database, Prisma, type Transaction } from '../shared/platform/postgres/database.ts';
import { classifyDatabaseError, lockCodes } from '../shared/platform/postgres/database-errors.ts';
import {
  findTable,
  holdTable,
  TableBusy,
  type TableIdentity,
  TableMoved,
  type TablePlace,
} from '../shared/platform/postgres/held-table.ts';
import { quoteTable } from '../shared/platform/postgres/partitions/partition-catalog.ts';

/** Pages of one statement. A page may have a hundred rows with traces stored out of line, or five with their traces inline. */
const pagesAtOnce = { first: 16, most: 256 };

/** The time that a statement should take; depending on it, the next statement gets more or fewer rows. */
const wantedMs = 200;

/** As in the purge: others get half of the time. */
const minPauseMs = 5;

/** How long a statement over many rows waits for a lock. One over a single row waits as long as a statement may take. */
const lockWaitMs = 1_000;

/** How often, and for how long, to retry a locked table. */
const busy = { askAgainMs: 250, mostMs: 60_000 };

/** The database's own statement timeout ends a statement in time. */
const transactionLimits = { maxWait: 10_000, timeout: 3_600_000 };

/** What a statement over some rows of a table uses. */
export interface RowRange {
  transaction: Transaction;
  /** the table, as SQL */
  rows: Prisma.Sql;
  /** a condition on `ctid` */
  range: Prisma.Sql;
}

/** A statement did not get its rows in time. */
class TooLate extends Error {}

/**
 * Goes through all rows of a table in physical order, some pages at a time, each range in a statement and a transaction of its
 * own. It needs no index: an index on everything that may name a person would make each insert more expensive, for something
 * that is rare and has to read every row anyway. It leaves out pages that are added meanwhile: rows that it changes go there as
 * well, and it would follow them without end.
 *
 * It follows the table, not its name: if the table is renamed, it continues; if it is rewritten (`VACUUM FULL`), it starts again;
 * if it is dropped, it ends. A range that takes too long is retried as half of it, down to a single row, which is left out if it
 * takes too long on its own.
 *
 * @param options.work one statement, which may be repeated
 * @param options.onRange called with what was committed
 * @param options.onStuckRow called with a row that was left out
 * @throws TableBusy if the whole table is locked for a minute, or the database's error
 */
export async function inPageRanges<Result>(
  database: Database,
  { oid }: TableIdentity,
  {
    isReading,
    signal,
    work,
    onRange,
    onStuckRow,
  }: {
    isReading: boolean;
    signal: AbortSignal;
    work(range: RowRange): Promise<Result>;
    onRange(result: Result, pages: number): void;
    onStuckRow(): void;
  },
): Promise<void> {
  let scan = { file: '', at: 0, end: 0, size: 0, lateUntil: 0 };
  let freeAt = performance.now();
  while (!signal.aborted) {
    const place = await findTable(database, oid);
    if (place === null) return;
    const { file, pages, rowsPerPage } = place;
    if (scan.file !== file)
      scan = { file, at: 0, end: pages * rowsPerPage, size: pagesAtOnce.first * rowsPerPage, lateUntil: 0 };
    const { at, end } = scan;
    if (at >= end) return;
    const to = Math.min(end, at + scan.size);
    const startedAt = performance.now();
    try {
      const result = await workOn(database, place, { from: at, to, isReading, work });
      onRange(result, Math.floor(to / rowsPerPage) - Math.floor(at / rowsPerPage));
      scan.at = to;
      freeAt = performance.now();
    } catch (error) {
      if (error instanceof TableMoved) continue;
      if (error instanceof TableBusy && performance.now() - freeAt < busy.mostMs) {
        await pause(busy.askAgainMs, signal);
        continue;
      }
      freeAt = performance.now();
      if (!(error instanceof TooLate)) throw error;
      if (to - at === 1) {
        onStuckRow();
        scan.at = to;
      } else {
        scan.size = Math.floor((to - at) / 2);
        scan.lateUntil = to;
      }
      continue;
    }
    const tookMs = performance.now() - startedAt;
    const size = nextSize(scan.size, tookMs, rowsPerPage);
    // Most likely, what made a range slow is in the rest of it: taking more would be too slow again.
    scan.size = scan.lateUntil > to ? Math.min(size, scan.lateUntil - to) : size;
    await pause(Math.max(minPauseMs, tookMs), signal);
  }
}

/** @throws TableMoved, TooLate, or the database's error */
async function workOn<Result>(
  database: Database,
  place: TablePlace,
  options: { from: number; to: number; isReading: boolean; work(range: RowRange): Promise<Result> },
): Promise<Result> {
  const { from, to, isReading, work } = options;
  const toPlace = (row: number): string =>
    `'(${Math.floor(row / place.rowsPerPage)},${(row % place.rowsPerPage) + 1})'`;
  const range = Prisma.raw(`ctid >= ${toPlace(from)}::tid and ctid < ${toPlace(to)}::tid`);
  return database.$transaction(async (transaction) => {
    await holdTable(transaction, place, isReading ? 'access share mode nowait' : 'row exclusive mode nowait');
    const waitMs = to - from > 1 ? lockWaitMs : 0;
    await transaction.$executeRaw`select set_config('lock_timeout', ${`${waitMs}`}, true)`;
    try {
      return await work({ transaction, rows: Prisma.sql`only ${quoteTable(place)}`, range });
    } catch (error) {
      throw lockCodes.includes(classifyDatabaseError(error).code) ? new TooLate() : error;
    }
  }, transactionLimits);
}

/** The time alone never makes it less than a page. */
function nextSize(size: number, tookMs: number, rowsPerPage: number): number {
  if (tookMs > wantedMs) return Math.max(Math.min(size, rowsPerPage), Math.floor(size / 2));
  return tookMs < wantedMs / 2 ? Math.min(size * 2, pagesAtOnce.most * rowsPerPage) : size;
}
