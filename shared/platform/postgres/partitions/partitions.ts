import { pause } from '../../deadline.ts';
import type { Database, Transaction } from '../database.ts';
import { type AttachResult, attachDay, defaultScanMs } from './attach-partition.ts';
import { readPartitionsWithin, transactionLimits } from './partition-catalog.ts';
import type { DayPartition } from './partition-spans.ts';
import { gapsIn, nameOfSpan, type PartitionUnit, type Span, spansBetween } from './partition-spans.ts';

/** The table that has a partition for each day, week or month. */
export const executionLogTable = 'strategy_execution_log';

/** The table of the ledger that has a partition for each day. */
export const ledgerChunkTable = 'ledger_chunk';

const dayMs = 86_400_000;

/** The partitions from yesterday's (records arrive late) to that of `daysAhead` days from `nowMs`. */
export function planPartitions(
  table: string,
  nowMs: number,
  daysAhead: number,
  unit: PartitionUnit = 'day',
): DayPartition[] {
  return spansBetween(nowMs - dayMs, nowMs + daysAhead * dayMs, unit).map((span) => toPartition(table, span));
}

/** The partition of a span, by the name that it has where that is free. */
export function toPartition(table: string, span: Span): DayPartition {
  const [from, until] = [new Date(span.fromMs).toISOString(), new Date(span.untilMs).toISOString()];
  return { name: `${table}_${nameOfSpan(span)}`, from, until };
}

/** Whether an instant lies in what a partition holds. */
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
 * Creates the partitions that a table lacks: what no attached one takes, whatever tables of such names there are. Of a day
 * that another partition, such as a monthly one made by hand, has a part of, the rest is made. Looks first, so that in
 * the usual case nothing is locked.
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
      (await findMissing(transaction, table, [day])).some(
        ({ from, until }) => from === day.from && until === day.until,
      );
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
    await pause(pauseMs.min + Math.random() * (pauseMs.max - pauseMs.min), signal);
  }
}

/**
 * What of these has no place but the DEFAULT partition. Attachment and bounds decide; a name that another table has, such as
 * a partition that was detached to be kept, gets a number. Locks nothing.
 */
export function findMissingPartitions(
  database: Database,
  table: string,
  partitions: readonly DayPartition[],
): Promise<DayPartition[]> {
  if (partitions.length === 0) return Promise.resolve([]);
  return database.$transaction((transaction) => findMissing(transaction, table, partitions), transactionLimits);
}

async function findMissing(
  transaction: Transaction,
  table: string,
  days: readonly DayPartition[],
): Promise<DayPartition[]> {
  const { partitions } = await readPartitionsWithin(transaction, table);
  const bounds = partitions.map((partition) => partition.bounds);
  const missing = days.flatMap(({ from, until }) =>
    gapsIn({ fromMs: Date.parse(from), untilMs: Date.parse(until) }, bounds).map((gap) => toPartition(table, gap)),
  );
  return missing.length === 0 ? [] : withFreeNames(transaction, missing);
}

async function withFreeNames(transaction: Transaction, partitions: readonly DayPartition[]): Promise<DayPartition[]> {
  const candidates = partitions.flatMap(({ name }) => namesLike(name));
  // Not to_regclass: it answers from the session's cache, which may not have heard of another session's commit yet.
  const rows = await transaction.$queryRaw<{ relname: string }[]>`
    select relname from pg_class where relname = any(${candidates}::text[]) and relnamespace = to_regnamespace('sluice')`;
  const taken = new Set(rows.map(({ relname }) => relname));
  return partitions.map((partition) => ({
    ...partition,
    name: namesLike(partition.name).find((name) => !taken.has(name)) ?? partition.name,
  }));
}

/** As many as anybody keeps tables of one day. */
function namesLike(name: string): string[] {
  return [name, ...Array.from({ length: 19 }, (_, index) => `${name}_${index + 2}`)];
}
