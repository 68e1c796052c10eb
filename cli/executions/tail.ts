import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionSummary } from '../../console/repository/executions/summary.ts';
import {
  readByKeys,
  readClock,
  readKeys,
  readUnknown,
  type TailFilter,
} from '../../console/repository/executions/tail.ts';
import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError } from '../../shared/database-errors.ts';
import { SeenRows } from './seen-rows.ts';

/** How a tail goes on. */
export interface TailOptions {
  filter: TailFilter;
  /** executions from before its start to begin with, the newest ones that are not older than `lateMs` */
  last: number;
  /** how much later than others an execution may become visible without being missed, see SeenRows */
  lateMs: number;
  /** between two questions, when the answer to the one before was complete */
  everyMs: number;
  signal: AbortSignal;
  onRows(rows: readonly ExecutionSummary[]): void;
  /** told when the database goes away, and with null when it is back; the tail goes on meanwhile */
  onTrouble(error: unknown): void;
}

const rowsAtOnce = 1_000;

/**
 * Tells of executions as they become visible, until the signal aborts. In the order of becoming visible; those that were
 * found by one question in the order of their runs.
 *
 * @throws what the database says to the first question, and later what waiting does not mend
 */
export async function tailExecutions(database: Database, options: TailOptions): Promise<void> {
  const { filter, signal } = options;
  const seen = await begin(database, options);
  let isAway = false;
  while (!signal.aborted) {
    let isComplete = true;
    try {
      const { rows, nowMs } = await readUnknown(database, {
        filter,
        from: seen.horizon,
        known: seen.keys,
        limit: rowsAtOnce,
      });
      if (isAway) options.onTrouble(null);
      isAway = false;
      isComplete = rows.length < rowsAtOnce;
      const fresh = seen.take(rows, nowMs);
      if (fresh.length > 0) options.onRows(fresh);
    } catch (error) {
      if (classifyDatabaseError(error).class !== 'transient') throw error;
      if (!isAway) options.onTrouble(error);
      isAway = true;
    }
    if (isComplete) await sleep(options.everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** What is there already counts as told of, but for the last ones. */
async function begin(database: Database, { filter, lateMs, last, onRows }: TailOptions): Promise<SeenRows> {
  const nowMs = await readClock(database);
  const seen = new SeenRows({ startMs: nowMs, lateMs });
  const { rows: keys } = await readKeys(database, filter, seen.horizon);
  seen.take(keys, nowMs);
  const newest = keys.sort((a, b) => a.recordedAt.getTime() - b.recordedAt.getTime() || (a.id < b.id ? -1 : 1));
  const { rows } = await readByKeys(database, last === 0 ? [] : newest.slice(-last));
  if (rows.length > 0) onRows(rows);
  return seen;
}
