import { setTimeout as sleep } from 'node:timers/promises';
import { type AttachResult, attachDay, defaultScanMs } from './attach-partition.ts';
import type { Database } from './database.ts';
import { overlaps } from './partition-bounds.ts';
import { readPartitionsWithin, transactionLimits } from './partition-catalog.ts';

/** The table that has a partition for each day. */
export const executionLogTable = 'strategy_execution_log';

/** One day of a partitioned table, in UTC. */
export interface DayPartition {
  name: string;
  /** ISO 8601; included */
  from: string;
  /** ISO 8601; excluded */
  until: string;
}

const dayMs = 86_400_000;

/** The partitions from yesterday (records arrive late) to `daysAhead` days from `nowMs`. */
export function planPartitions(table: string, nowMs: number, daysAhead: number): DayPartition[] {
  const today = Math.floor(nowMs / dayMs) * dayMs;
  return Array.from({ length: daysAhead + 2 }, (_, index) => {
    const from = new Date(today + (index - 1) * dayMs).toISOString();
    const until = new Date(today + index * dayMs).toISOString();
    return { name: `${table}_${from.slice(0, 10).replaceAll('-', '')}`, from, until };
  });
}

/** Whether an instant lies in a day. */
export function isDayOf({ from, until }: DayPartition, ms: number): boolean {
  return Date.parse(from) <= ms && ms < Date.parse(until);
}

/** What was found to be missing, and what became of it. */
export interface PartitionReport {
  created: string[];
  /** days that have rows in the DEFAULT partition already, so that their own partition cannot be attached */
  blocked: string[];
  /** days that could not be made now, and why */
  postponed: { name: string; why: PostponedWhy }[];
}

export type PostponedWhy = Extract<AttachResult, 'in use' | 'scan too long' | 'not allowed'>;

/** Pause between two tries for a lock, in ms, drawn from this range. */
const pauseMs = { min: 250, max: 1_000 };

/**
 * Creates the daily partitions that a table lacks. A day of which another partition, such as a monthly one made by hand,
 * has a part already lacks nothing. Looks first, so that in the usual case nothing is locked.
 *
 * What one day has to wait for, the others would meet too: they are postponed with it.
 *
 * @param options.tries for a lock that somebody else holds. @default 3
 * @param options.scanMs how long the DEFAULT partition may be looked through for one day. @default 2000
 * @param options.signal no further try when it is aborted
 * @throws what the database said, when it was about no lock
 */
export async function ensurePartitions(
  database: Database,
  table: string,
  partitions: readonly DayPartition[],
  { tries = 3, scanMs = defaultScanMs, signal }: { tries?: number; scanMs?: number; signal?: AbortSignal } = {},
): Promise<PartitionReport> {
  const report: PartitionReport = { created: [], blocked: [], postponed: [] };
  let why: PostponedWhy | null = null;
  for (const day of await findMissingPartitions(database, table, partitions)) {
    const isMissing = async (transaction: Transaction): Promise<boolean> =>
      (await findMissing(transaction, table, [day])).length > 0;
    const result: AttachResult =
      why ?? (await insist(() => attachDay(database, table, day, { scanMs, isMissing }), tries, signal));
    if (result === 'created') report.created.push(day.name);
    if (result === 'blocked') report.blocked.push(day.name);
    if (result === 'created' || result === 'there' || result === 'blocked') continue;
    why = result;
    report.postponed.push({ name: day.name, why: result });
  }
  return report;
}

async function insist(attach: () => Promise<AttachResult>, tries: number, signal?: AbortSignal): Promise<AttachResult> {
  for (let left = tries; ; left -= 1) {
    const result = await attach();
    if (result !== 'in use' || left <= 1 || signal?.aborted) return result;
    const ms = pauseMs.min + Math.random() * (pauseMs.max - pauseMs.min);
    await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** The days among these that have no place but the DEFAULT partition. Locks nothing. */
export function findMissingPartitions(
  database: Database,
  table: string,
  partitions: readonly DayPartition[],
): Promise<DayPartition[]> {
  return database.$transaction((transaction) => findMissing(transaction, table, partitions), transactionLimits);
}

type Transaction = Pick<Database, '$queryRaw' | '$executeRaw'>;

async function findMissing(
  transaction: Transaction,
  table: string,
  days: readonly DayPartition[],
): Promise<DayPartition[]> {
  const names = days.map(({ name }) => name);
  // Not to_regclass: it answers from the session's cache, which may not have heard of another session's commit yet.
  const rows = await transaction.$queryRaw<{ relname: string }[]>`
    select relname from pg_class where relname = any(${names}::text[]) and relnamespace = to_regnamespace('sluice')`;
  const existing = new Set(rows.map(({ relname }) => relname));
  const lacking = days.filter(({ name }) => !existing.has(name));
  if (lacking.length === 0) return [];
  const { partitions } = await readPartitionsWithin(transaction, table);
  return lacking.filter(
    ({ from, until }) => !partitions.some(({ bounds }) => overlaps(bounds, Date.parse(from), Date.parse(until))),
  );
}
