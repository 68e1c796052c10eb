import type { Config } from '../../shared/platform/config/config.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import {
  classifyDatabaseError,
  lockCodes,
  passingConstraintPrefix,
} from '../../shared/platform/postgres/database-errors.ts';
import { setLockLimits } from '../../shared/platform/postgres/lock-limits.ts';
import {
  type Partition,
  quoteTable,
  readPartitions,
  transactionLimits,
} from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import type { DayPartition } from '../../shared/platform/postgres/partitions/partition-spans.ts';
import { ensurePartitions, type PartitionReport } from '../../shared/platform/postgres/partitions/partitions.ts';
import { createPatientDatabase, readTimeoutMs } from '../runtime/worker-database.ts';

/** For a change to the catalog. */
const changeTimeoutMs = 2_000;

const constraint = Prisma.raw(`"${passingConstraintPrefix}days_to_come"`);

const checkViolation = '23514';

interface Deps {
  config: Pick<Config, 'database'>;
  database: Database;
  /** ends the reading */
  signal: AbortSignal;
}

/**
 * Makes the partitions of days to come where the DEFAULT partition is too large to be looked through under a lock.
 *
 * A CHECK constraint says that it has no row of these days. PostgreSQL makes sure of that beside reads and inserts, for as
 * long as it takes, and then attaches the partitions without a look. Until the constraint is dropped again, records of
 * these days are delayed by their workers (see `isPassingRefusal`): so it is not for today, of which records come all the time.
 *
 * @param days that have no partition
 * @returns the same as `ensurePartitions`; all days are postponed when another process is at it
 */
export async function attachUpcomingDays(
  { config, database, signal }: Deps,
  table: string,
  days: readonly DayPartition[],
): Promise<PartitionReport> {
  const postponed = days.map(({ name }) => ({ name, why: 'scan too long' as const }));
  const catchAll = await findDefault(database, table);
  if (catchAll === null) return ensurePartitions(database, table, days);
  const reader = createPatientDatabase(config.database, 1);
  try {
    let empty = days;
    if (!(await claimEmpty(database, catchAll, empty))) return { created: [], blocked: [], postponed };
    let isProved = await prove(reader, database, catchAll, signal);
    if (!isProved && !signal.aborted) {
      await dropClaim(database, table);
      const taken = await findTakenDays(reader, catchAll, days);
      empty = days.filter((day) => !taken.has(day));
      isProved = empty.length > 0 && (await claimEmpty(database, catchAll, empty));
      isProved &&= await prove(reader, database, catchAll, signal);
    }
    const blocked = days.filter((day) => !empty.includes(day)).map(({ name }) => name);
    if (!isProved) return { created: [], blocked, postponed: postponed.filter(({ name }) => !blocked.includes(name)) };
    const report = await ensurePartitions(database, table, empty);
    return { ...report, blocked: [...blocked, ...report.blocked] };
  } finally {
    await reader.$disconnect();
    await dropClaim(database, table);
  }
}

/** Takes the constraint away, also one that a dead process left behind. One that is being proved stays. @returns whether none is left */
export async function dropClaim(database: Database, table: string): Promise<boolean> {
  const catchAll = await findDefault(database, table);
  if (catchAll === null) return true;
  const [left] = await database.$queryRaw<{ name: string }[]>`
    select conname as name from pg_constraint join pg_class on pg_class.oid = conrelid
    where conname = ${`${passingConstraintPrefix}days_to_come`} and relname = ${catchAll.name}
      and relnamespace = to_regnamespace('sluice')`;
  if (left === undefined) return true;
  return change(database, Prisma.sql`alter table ${quoteTable(catchAll)} drop constraint if exists ${constraint}`);
}

async function findDefault(database: Database, table: string): Promise<Partition | null> {
  const { partitions } = await readPartitions(database, table);
  return partitions.find(({ bounds }) => bounds.kind === 'default') ?? null;
}

/** From now on rows of these days are refused there; those that are there already are not looked at yet. */
function claimEmpty(database: Database, catchAll: Partition, days: readonly DayPartition[]): Promise<boolean> {
  const outside = days.map(({ from, until }) => `(recorded_at < '${from}' or recorded_at >= '${until}')`).join(' and ');
  return change(
    database,
    Prisma.sql`alter table ${quoteTable(catchAll)} drop constraint if exists ${constraint},
      add constraint ${constraint} check (${Prisma.raw(outside)}) not valid`,
  );
}

/** Reads the whole partition, and locks nothing that reads or inserts need. @returns whether there is no such row */
async function prove(reader: Database, database: Database, catchAll: Partition, signal: AbortSignal): Promise<boolean> {
  let cancel: (() => void) | undefined;
  try {
    await reader.$transaction(
      async (transaction) => {
        await transaction.$executeRaw`select set_config('statement_timeout', ${`${readTimeoutMs}ms`}, true), set_config('lock_timeout', '500ms', true)`;
        const [session] = await transaction.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid`;
        cancel = () => void database.$queryRaw`select pg_cancel_backend(${session?.pid}::int)`.catch(() => undefined);
        signal.addEventListener('abort', cancel, { once: true });
        signal.throwIfAborted();
        await transaction.$executeRaw(
          Prisma.sql`alter table ${quoteTable(catchAll)} validate constraint ${constraint}`,
        );
      },
      { maxWait: transactionLimits.maxWait, timeout: readTimeoutMs },
    );
    return true;
  } catch (error) {
    const { code } = classifyDatabaseError(error);
    if (code === checkViolation || code === undefinedObject || lockCodes.includes(code) || signal.aborted) return false;
    throw error;
  } finally {
    if (cancel !== undefined) signal.removeEventListener('abort', cancel);
  }
}

/** Another process has taken the constraint away. */
const undefinedObject = '42704';

async function findTakenDays(
  reader: Database,
  catchAll: Partition,
  days: readonly DayPartition[],
): Promise<Set<DayPartition>> {
  const rows = await reader.$queryRaw<{ n: number }[]>(
    Prisma.sql`select distinct day.n::int as n
      from unnest(${days.map(({ from }) => from)}::timestamptz[], ${days.map(({ until }) => until)}::timestamptz[])
        with ordinality as day (since, until, n)
      join ${quoteTable(catchAll)} on recorded_at >= since and recorded_at < until`,
  );
  return new Set(rows.flatMap(({ n }) => days[n - 1] ?? []));
}

/** @returns whether it was done; not when somebody else holds the table */
async function change(database: Database, statement: Prisma.Sql): Promise<boolean> {
  try {
    await database.$transaction(async (transaction) => {
      await setLockLimits(transaction, { statementMs: changeTimeoutMs });
      await transaction.$executeRaw(statement);
    }, transactionLimits);
    return true;
  } catch (error) {
    if (lockCodes.includes(classifyDatabaseError(error).code)) return false;
    throw error;
  }
}
