import type { Config } from '../../../shared/platform/config/config.ts';
import { type Database, Prisma } from '../../../shared/platform/postgres/database.ts';
import { classifyDatabaseError, queryCanceled } from '../../../shared/platform/postgres/database-errors.ts';
import {
  type Partition,
  quoteTable,
  readPartitions,
} from '../../../shared/platform/postgres/partitions/partition-catalog.ts';
import type { DayPartition } from '../../../shared/platform/postgres/partitions/partition-spans.ts';
import {
  executionLogTable,
  findMissingPartitions,
  toPartition,
} from '../../../shared/platform/postgres/partitions/partitions.ts';
import { createPatientDatabase } from '../../runtime/worker-database.ts';
import { type DayRows, type MovableTimes, movableTimes, planPast } from './plan-past.ts';

/** What it takes to find rows that may be moved. */
export interface FindDeps {
  config: Pick<Config, 'database' | 'retention'>;
  database: Database;
}

/** What is left comes in the next run. */
export const mostPerRun = 400;

/** The partitions that a run would make of what is in the DEFAULT partition. */
export async function previewPast({ config, database }: FindDeps): Promise<string[]> {
  const catchAll = await findDefault(database);
  if (catchAll === null) return [];
  const reader = createPatientDatabase(config.database, 1);
  try {
    return (await planMove({ config, database: reader }, catchAll, mostPerRun)).map(({ name }) => name);
  } finally {
    await reader.$disconnect();
  }
}

/** Whether some row may be moved, at a glance: where it takes too long to tell, maybe. */
export async function hasMovable({ config, database }: FindDeps): Promise<boolean> {
  const { partitions, databaseMs } = await readPartitions(database, executionLogTable);
  const catchAll = defaultOf(partitions);
  if (catchAll === null) return false;
  try {
    const [found] = await database.$queryRaw<{ any: boolean }[]>(
      Prisma.sql`select exists (select from ${quoteTable(catchAll)} where ${isMovable(timesOf(config, databaseMs))}) as any`,
    );
    return found?.any ?? false;
  } catch (error) {
    if (classifyDatabaseError(error).code !== queryCanceled) throw error;
    return true;
  }
}

function timesOf({ database, retention }: FindDeps['config'], nowMs: number): MovableTimes {
  const { partitionDaysAhead: daysAhead, partitionBy: unit } = database;
  return movableTimes(nowMs, { retentionDays: retention.days, daysAhead, unit });
}

function isMovable({ fromMs, untilMs }: MovableTimes): Prisma.Sql {
  return Prisma.sql`recorded_at >= ${new Date(fromMs)} and recorded_at < ${new Date(untilMs)}`;
}

/** @param table @default that of executions */
export async function findDefault(database: Database, table = executionLogTable): Promise<Partition | null> {
  return defaultOf((await readPartitions(database, table)).partitions);
}

function defaultOf(partitions: readonly Partition[]): Partition | null {
  return partitions.find(({ bounds, isDroppable }) => bounds.kind === 'default' && isDroppable) ?? null;
}

/** The partitions to be made of what is in the DEFAULT one, the newest first. @param most no more than so many */
export async function planMove(
  { config, database }: FindDeps,
  catchAll: Partition,
  most: number,
): Promise<DayPartition[]> {
  const { partitions, databaseMs } = await readPartitions(database, executionLogTable);
  const times = timesOf(config, databaseMs);
  const days = await database.$queryRaw<DayRows[]>(
    Prisma.sql`select floor(extract(epoch from recorded_at) / 86400)::float8 * 86400000 as "dayMs", count(*)::float8 as rows
      from ${quoteTable(catchAll)} where ${isMovable(times)} group by 1`,
  );
  const bounds = partitions.map((partition) => partition.bounds);
  const spans = planPast(days, bounds, { unit: config.database.partitionBy, times, most });
  // Their names may be taken by tables that are no partitions.
  return findMissingPartitions(
    database,
    executionLogTable,
    spans.map((span) => toPartition(executionLogTable, span)),
  );
}

/** What would be lost, or would refuse to go, when another table took the place of this one; null when nothing. */
export async function findObstacle(database: Database, { schema, name }: Partition): Promise<string | null> {
  const [found] = await database.$queryRaw<{ plain: boolean; views: boolean; triggers: boolean }[]>`
    select relkind = 'r' as plain,
      exists (select from pg_depend where refobjid = pg_class.oid and classid = 'pg_rewrite'::regclass and deptype = 'n') as views,
      exists (select from pg_trigger where tgrelid = pg_class.oid and not tgisinternal and tgparentid = 0) as triggers
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace where relname = ${name} and nspname = ${schema}`;
  if (found === undefined || !found.plain) return 'the DEFAULT partition is not a plain table';
  if (found.views) return 'a view or rule depends on the DEFAULT partition itself: define it on the whole table';
  if (found.triggers) return 'the DEFAULT partition has its own triggers: create them on the whole table';
  return null;
}

/** Rows of the partitions that were made. */
export async function countRows(database: Database, partitions: readonly DayPartition[]): Promise<number> {
  let rows = 0;
  for (const { name } of partitions) {
    const [counted] = await database.$queryRaw<{ n: number }[]>(
      Prisma.raw(`select count(*)::float8 as n from sluice."${name}"`),
    );
    rows += counted?.n ?? 0;
  }
  return rows;
}
