import { listExecutions } from '../../../queries/executions/list.ts';
import type { ExecutionSummary } from '../../../queries/executions/summary.ts';
import { readClock, readKeys, readUnknown, type TailFilter } from '../../../queries/executions/tail.ts';
import { pause } from '../../../shared/platform/deadline.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../../shared/platform/postgres/database-errors.ts';
import { SeenRows } from './seen-rows.ts';

/** How a tail goes on. */
export interface TailOptions {
  filter: TailFilter;
  /** executions from before its start to begin with, the newest ones; 0 to 200 */
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
    if (isComplete) await pause(options.everyMs, signal);
  }
}

/** The last executions, however old they are, the oldest first; none where too many strategies run to look for them. */
async function readNewest(
  database: Database,
  { strategyId, failures }: TailFilter,
  { nowMs, last }: { nowMs: number; last: number },
): Promise<ExecutionSummary[]> {
  const window = { since: null, until: new Date(nowMs + 1) };
  const filter = failures ? { status: 'failed' as const } : {};
  try {
    return (
      await listExecutions(database, { strategyId: strategyId ?? null, window, filter, limit: last })
    ).executions.toReversed();
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}

/** What is there already counts as told of, but for the last ones. */
async function begin(database: Database, { filter, lateMs, last, onRows }: TailOptions): Promise<SeenRows> {
  const nowMs = await readClock(database);
  const seen = new SeenRows({ startMs: nowMs, lateMs });
  const { rows: keys } = await readKeys(database, filter, seen.horizon);
  seen.take(keys, nowMs);
  const rows = last === 0 ? [] : await readNewest(database, filter, { nowMs, last });
  // Those that came into sight since the keys were read are told of now, and not again.
  seen.take(rows, nowMs);
  if (rows.length > 0) onRows(rows);
  return seen;
}
