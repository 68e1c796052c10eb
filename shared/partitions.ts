import { type Database, Prisma } from './database.ts';
import { classifyDatabaseError } from './database-errors.ts';
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

/** Any fixed number: processes that create partitions at the same time take turns on it. */
const advisoryLock = 7_270_412;

/** What was found to be missing, and what became of it. */
export interface PartitionReport {
  created: string[];
  /** days that have rows in the DEFAULT partition already, so that their own partition cannot be attached */
  blocked: string[];
}

/**
 * Creates the daily partitions that a table lacks. A day of which another partition, such as a monthly one made by hand,
 * has a part already lacks nothing. Looks first, so that in the usual case nothing is locked. Creating one
 * locks the table for a moment, and gives up after a second rather than hold up the inserts behind it.
 *
 * @throws what the database said; `lockNotAvailable` when somebody reads the table all that second
 */
export async function ensurePartitions(
  database: Database,
  table: string,
  partitions: readonly DayPartition[],
): Promise<PartitionReport> {
  const report: PartitionReport = { created: [], blocked: [] };
  for (const partition of await findMissingPartitions(database, table, partitions)) {
    try {
      const created = await database.$transaction(async (transaction) => {
        await transaction.$executeRaw`select pg_advisory_xact_lock(${advisoryLock})`;
        await transaction.$executeRaw`set local lock_timeout = '1s'`;
        if ((await findMissing(transaction, table, [partition])).length === 0) return false;
        // Names and bounds come from planPartitions, and identifiers cannot be bound.
        await transaction.$executeRaw(
          Prisma.raw(
            `create table "${partition.name}" partition of "${table}" for values from ('${partition.from}') to ('${partition.until}')`,
          ),
        );
        return true;
      }, transactionLimits);
      if (created) report.created.push(partition.name);
    } catch (error) {
      if (classifyDatabaseError(error).code !== checkViolation) throw error;
      report.blocked.push(partition.name);
    }
  }
  return report;
}

const checkViolation = '23514';

/** SQLSTATE of a lock that was not had in time. */
export const lockNotAvailable = '55P03';

/** The days among these that have no place but the DEFAULT partition. Locks nothing. */
export function findMissingPartitions(
  database: Database,
  table: string,
  partitions: readonly DayPartition[],
): Promise<DayPartition[]> {
  return database.$transaction((transaction) => findMissing(transaction, table, partitions), transactionLimits);
}

async function findMissing(
  transaction: Pick<Database, '$queryRaw' | '$executeRaw'>,
  table: string,
  days: readonly DayPartition[],
): Promise<DayPartition[]> {
  const names = days.map(({ name }) => name);
  // Not to_regclass: it answers from the session's cache, which may not have heard of another session's commit yet.
  const rows = await transaction.$queryRaw<{ relname: string }[]>`
    select relname from pg_class where relname = any(${names}::text[]) and relnamespace = current_schema()::regnamespace`;
  const existing = new Set(rows.map(({ relname }) => relname));
  const lacking = days.filter(({ name }) => !existing.has(name));
  if (lacking.length === 0) return [];
  const { partitions } = await readPartitionsWithin(transaction, table);
  return lacking.filter(
    ({ from, until }) => !partitions.some(({ bounds }) => overlaps(bounds, Date.parse(from), Date.parse(until))),
  );
}
