import { UsageError } from '../../shared/platform/errors.ts';
import type { Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { readPartitions } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { executionLogTable } from '../../shared/platform/postgres/partitions/partitions.ts';
import { type ExecutionPosition, parseCursor, toCursor } from './cursor.ts';
import { partitionsAtOnce, timeSlices } from './id-slices.ts';
import {
  type ExecutionFilter,
  type Listed,
  type NewestOfStrategy,
  toListOfRealmStatement,
  toListOfStatement,
  toListOfTraceStatement,
  toListStatement,
  toNewestStrategiesStatement,
} from './list-statement.ts';
import { inSnapshot, type Snapshot } from './snapshot.ts';
import type { ExecutionSummary } from './summary.ts';
import { checkWindow, type WindowRequest } from './window.ts';

/** A page of a list. */
export interface ExecutionPage {
  executions: ExecutionSummary[];
  /** for the next page; null on the last page */
  cursor: string | null;
}

/** What to list. */
interface ExecutionListQuestion {
  /** null: all strategies, up to 100,000 in a part of the window */
  strategyId: string | null;
  window: WindowRequest;
  filter?: ExecutionFilter;
  /** executions in a page, 1 to 200. @default 50 */
  limit?: number;
  /** as returned with the previous page */
  cursor?: string | null;
  /** of the statement. @default the database's own timeout */
  timeoutMs?: number;
}

const maxLimit = 200;

/** @throws UsageError if it is not a number of executions that a page may have */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw new UsageError(`limit is ${limit}; accepted: 1 to ${maxLimit}`);
}

/**
 * Lists the executions of one strategy or of all, newest first. The pages together contain each execution once. What
 * arrives meanwhile sorts before the rows that were read already, and moves nothing. No statement locks more than a few
 * partitions, however many there are. To page over a window that ends now, pass the same `until` for each page.
 *
 * @throws UsageError if the limit is out of range, the cursor is invalid, the window is empty, or too many
 *   strategies have run
 */
export async function listExecutions(database: Database, question: ExecutionListQuestion): Promise<ExecutionPage> {
  const { limit = 50, cursor } = question;
  checkLimit(limit);
  const after = cursor == null ? null : parseCursor(cursor);
  const slices = toSlices(checkWindow(question.window), after);
  const found: ExecutionSummary[] = [];
  const read = (windows: readonly WindowRequest[]): Promise<void> =>
    inSnapshot(
      database,
      async (snapshot) => {
        for (const window of windows) {
          if (found.length > limit) return;
          const listed = { ...question, window, after };
          found.push(...(await readRows(snapshot, question.strategyId, listed, limit + 1 - found.length)));
        }
      },
      question.timeoutMs,
    );
  await read(slices.slice(0, daySlices));
  for (const rest of slices.slice(daySlices)) {
    if (found.length > limit) break;
    for (const window of await cutAtPartitions(database, rest)) if (found.length <= limit) await read([window]);
  }
  const executions = found.slice(0, limit);
  const last = executions.at(-1);
  return { executions, cursor: last !== undefined && found.length > limit ? toCursor(last) : null };
}

/** A walk over so many takes about as long as a statement may. */
const mostStrategies = 100_000;

async function readRows(
  snapshot: Snapshot,
  strategyId: string | null,
  listed: Listed,
  rows: number,
): Promise<ExecutionSummary[]> {
  if (listed.filter?.traceId !== undefined) return snapshot.$queryRaw(toListOfTraceStatement(strategyId, listed, rows));
  if (strategyId !== null) return snapshot.$queryRaw(toListStatement(strategyId, listed, rows));
  if (listed.filter?.realmId !== undefined) return snapshot.$queryRaw(toListOfRealmStatement(listed, rows));
  const newest = await walk(snapshot, toNewestStrategiesStatement(listed, rows, mostStrategies));
  const [first, last] = [newest[0], newest.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (first.strategies > mostStrategies) {
    throw new UsageError(
      `more than ${mostStrategies} strategies have run in this window: name one, or ask for a shorter window`,
    );
  }
  // Each of these strategies has a row that is no older than this, so that is where the page ends, too.
  const since = newest.length < rows ? listed.window.since : last.recordedAt;
  const ids = newest.map(({ strategyId }) => strategyId);
  return snapshot.$queryRaw(toListOfStatement(ids, { ...listed, window: { ...listed.window, since } }, rows));
}

/**
 * Each step takes one entry of the index. In a partition that was never analyzed, PostgreSQL expects a handful of rows, and would
 * read and sort all that are left, at each step.
 */
export async function walk(snapshot: Snapshot, statement: Prisma.Sql): Promise<NewestOfStrategy[]> {
  await snapshot.$queryRaw`select set_config('enable_sort', 'off', true)`;
  const newest = await snapshot.$queryRaw<NewestOfStrategy[]>(statement);
  await snapshot.$queryRaw`select set_config('enable_sort', 'on', true)`;
  return newest;
}

/** Each window is read in a transaction of its own, because a transaction keeps its locks until its end. */
export async function cutAtPartitions(database: Database, window: WindowRequest): Promise<WindowRequest[]> {
  const { partitions } = await readPartitions(database, executionLogTable);
  const bounds = partitions.map((partition) => partition.bounds);
  return timeSlices(bounds, partitionsAtOnce).flatMap(({ fromMs, untilMs }) => {
    const since = fromMs === null || fromMs < (window.since?.getTime() ?? 0) ? window.since : new Date(fromMs);
    const until = untilMs === null || untilMs > window.until.getTime() ? window.until : new Date(untilMs);
    return since === null || since < until ? [{ since, until }] : [];
  });
}

const dayMs = 24 * 3_600_000;
/** Slices of a few days, see below. */
export const daySlices = 2;

/**
 * The newest day of a window, the week before it, and the rest, without gaps. The first usually fills a page, and planning a
 * statement over two partitions takes a fraction of the time of planning one over all.
 */
export function toSlices({ since, until }: WindowRequest, after: ExecutionPosition | null): WindowRequest[] {
  // One millisecond after the last row read: other rows may have its time.
  const endMs = after === null ? until.getTime() : Math.min(until.getTime(), after.recordedAt.getTime() + 1);
  const sinceMs = since?.getTime() ?? 0;
  const edges = [endMs - dayMs, endMs - 8 * dayMs].filter((edge) => edge > sinceMs).map((edge) => new Date(edge));
  return [new Date(endMs), ...edges].map((end, index) => ({ since: edges[index] ?? since, until: end }));
}
