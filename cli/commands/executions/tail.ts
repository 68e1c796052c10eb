import { listExecutions } from '../../../queries/executions/list.ts';
import type { ExecutionSummary } from '../../../queries/executions/summary.ts';
import { readClock, readKeys, readUnknown, type TailFilter } from '../../../queries/executions/tail.ts';
import { pause } from '../../../shared/platform/deadline.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../../shared/platform/postgres/database-errors.ts';
import { SeenRows } from './seen-rows.ts';

/** Options of a tail. */
export interface TailOptions {
  filter: TailFilter;
  /** how many of the newest executions before its start to begin with; 0 to 200 */
  last: number;
  /** how much later than others an execution may become visible without being missed, see SeenRows */
  lateMs: number;
  /** the pause between two questions, if the previous answer was complete */
  everyMs: number;
  signal: AbortSignal;
  /** a promise of it is waited for; must not fail, because these rows are not reported again */
  onRows(rows: readonly ExecutionSummary[]): unknown;
  /** called when the database becomes unavailable, and with null when it is back; the tail continues meanwhile */
  onTrouble(error: unknown): void;
}

const rowsAtOnce = 1_000;

/**
 * Reports executions as they become visible, until the signal aborts. In the order in which they become visible; those that one
 * question finds are in the order of their runs.
 *
 * @throws the database's error on the first question, and later any error that does not pass by waiting
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
      if (fresh.length > 0) await options.onRows(fresh);
    } catch (error) {
      if (classifyDatabaseError(error).class !== 'transient') throw error;
      if (!isAway) options.onTrouble(error);
      isAway = true;
    }
    if (isComplete) await pause(options.everyMs, signal);
  }
}

/** The last executions, however old, oldest first. */
async function readNewest(
  database: Database,
  { strategyId, failures }: TailFilter,
  { nowMs, last }: { nowMs: number; last: number },
): Promise<ExecutionSummary[]> {
  const window = { since: null, until: new Date(nowMs + 1) };
  const filter = failures ? { status: 'failed' as const } : {};
  const page = await listExecutions(database, { strategyId: strategyId ?? null, window, filter, limit: last });
  return page.executions.toReversed();
}

/** Existing rows count as reported, except the last ones. */
async function begin(database: Database, { filter, lateMs, last, onRows }: TailOptions): Promise<SeenRows> {
  const nowMs = await readClock(database);
  const seen = new SeenRows({ startMs: nowMs, lateMs });
  const { rows: keys } = await readKeys(database, filter, seen.horizon);
  seen.take(keys, nowMs);
  const rows = last === 0 ? [] : await readNewest(database, filter, { nowMs, last });
  // Rows that became visible after the keys were read are reported now, and not again.
  seen.take(rows, nowMs);
  if (rows.length > 0) await onRows(rows);
  return seen;
}
