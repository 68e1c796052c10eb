import type { Reading, RowKey } from '../../../queries/executions/tail.ts';
import { pause } from '../../../shared/platform/deadline.ts';
import { classifyDatabaseError } from '../../../shared/platform/postgres/database-errors.ts';
import { SeenRows } from './seen-rows.ts';

/** Where a tail has its rows from. */
export interface RowSource<Row extends RowKey> {
  /** the time of the database, in ms since 1970 */
  readClock(): Promise<number>;
  /** the newest rows, oldest first */
  readNewest(options: { nowMs: number; last: number }): Promise<readonly Row[]>;
  /** the keys of all rows from a time on */
  readKeys(from: Date): Promise<Reading<RowKey>>;
  /** the rows from a time on, except the known ones, oldest first */
  readUnknown(options: { from: Date; known: readonly RowKey[]; limit: number }): Promise<Reading<Row>>;
}

/** Options of a tail. */
export interface FollowOptions<Row> {
  /** how many of the newest rows before its start to begin with; 0 to 200 */
  last: number;
  /** how much later than others a row may become visible without being missed, see SeenRows */
  lateMs: number;
  /** the pause between two questions, if the previous answer was complete */
  everyMs: number;
  signal: AbortSignal;
  /** waited for, so that rows are told of in order, and before the tail ends */
  onRows(rows: readonly Row[]): Promise<void>;
  /** called when the database becomes unavailable, and with null when it is back; the tail continues meanwhile */
  onTrouble(error: unknown): void;
}

const rowsAtOnce = 1_000;

/**
 * Reports rows as they become visible, until the signal aborts. In the order in which they become visible; those that one question
 * finds are in the order of their times.
 *
 * @throws the database's error on the first question, and later any error that does not pass by waiting
 */
export async function follow<Row extends RowKey>(source: RowSource<Row>, options: FollowOptions<Row>): Promise<void> {
  const { signal } = options;
  const seen = await begin(source, options);
  let isAway = false;
  while (!signal.aborted) {
    let isComplete = true;
    try {
      const { rows, nowMs } = await source.readUnknown({ from: seen.horizon, known: seen.keys, limit: rowsAtOnce });
      if (isAway) options.onTrouble(null);
      isAway = false;
      isComplete = rows.length < rowsAtOnce;
      const fresh = seen.take(rows, nowMs);
      if (fresh.length > 0) await options.onRows(fresh);
    } catch (error) {
      if (classifyDatabaseError(error).class !== 'transient') throw error;
      if (!isAway) options.onTrouble(error);
      isAway = true;
    }
    if (isComplete) await pause(options.everyMs, signal);
  }
}

/** Existing rows count as reported, except the last ones. */
async function begin<Row extends RowKey>(
  source: RowSource<Row>,
  { lateMs, last, onRows }: FollowOptions<Row>,
): Promise<SeenRows> {
  const nowMs = await source.readClock();
  const seen = new SeenRows({ startMs: nowMs, lateMs });
  const { rows: keys } = await source.readKeys(seen.horizon);
  seen.take(keys, nowMs);
  const rows = last === 0 ? [] : await source.readNewest({ nowMs, last });
  // Rows that became visible after the keys were read are reported now, and not again.
  seen.take(rows, nowMs);
  if (rows.length > 0) await onRows(rows);
  return seen;
}
