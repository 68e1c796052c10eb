import { FileError } from '../../archive/archive-file.ts';
import { findMarked, type Marked, removeMark } from '../../archive/awaiting-drop.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import {
  classifyDatabaseError,
  lockCodes,
  lockNotAvailable,
  queryCanceled,
  undefinedTable,
} from '../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import {
  type Partition,
  type PartitionCatalog,
  quoteTable,
  readPartitions,
} from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { executionLogTable, ledgerChunkTable } from '../../shared/platform/postgres/partitions/partitions.ts';
import { type ArchiveDropResult, createArchiving } from './archive-partition.ts';
import { isClockOff } from './clock.ts';
import { dropPartition } from './drop-partition.ts';
import { planRetention } from './partition-retention.ts';
import type { Task, TaskDeps, TaskOutcome } from './task.ts';
import { tellEarly } from './tell-early.ts';

export interface RetentionReport {
  outcome: TaskOutcome;
  dropped: string[];
  /** expired and still there, since somebody else holds a lock on them */
  postponed: string[];
  failed: { name: string; reason: string }[];
  /** expired and still there, for whatever reason */
  overdue: number;
}

/**
 * Lock waits in vain after which a run leaves the attached partitions that are left: each of them holds inserts up. For one that is
 * detached nobody waits.
 */
const maxLockWaits = 3;

/** For the lock that a comment needs. Only vacuum and changes of this table wait for it. */
const markTimeoutMs = 500;

/**
 * Drops the partitions that are older than `SLUICE_RETENTION_DAYS`. The time is the database's. With `SLUICE_ARCHIVE_DIR`
 * only after their rows are in an archive.
 */
export function createRetentionTask(deps: TaskDeps): Task<RetentionReport> {
  const { config, database, logger } = deps;
  const { days, archiveDir } = config.retention;
  const plan = ({ partitions, databaseMs }: PartitionCatalog) => planRetention(partitions, databaseMs, days);

  return {
    async run(signal) {
      const report: RetentionReport = { outcome: 'done', dropped: [], postponed: [], failed: [], overdue: 0 };
      const catalog = await readPartitions(database, executionLogTable);
      if (isClockOff(deps, catalog.databaseMs)) return { ...report, outcome: 'refused', overdue: plan(catalog).length };
      const expired = plan(catalog);
      const archiving = archiveDir === null ? null : createArchiving(database, { dir: archiveDir, signal });
      const overdue = await freeFirst(database, [
        ...toDetached(await lookAtMarked(), archiving),
        ...expired.map((partition) => ({
          place: partition,
          isAttached: true,
          drop: () => dropExpired(partition, archiving),
        })),
      ]);
      report.overdue = overdue.length;
      let lockWaits = 0;
      for (const { place, isAttached, drop } of overdue) {
        if (signal.aborted) break;
        if (isAttached && lockWaits === maxLockWaits) continue;
        const ending = await dropOverdue(place, drop, report);
        if (ending === 'locked' && isAttached) lockWaits += 1;
        if (ending === 'gone') report.overdue -= 1;
        // It would take none of the others either.
        if (ending === 'no archive') break;
      }
      await dropOldLedger(report, signal);
      report.outcome = toOutcome(report, signal.aborted && report.overdue > 0);
      return report;
    },
    async preview() {
      const catalog = await readPartitions(database, executionLogTable);
      const ofLedger = planLedger(await readPartitions(database, ledgerChunkTable));
      return {
        wouldDrop: [...plan(catalog), ...ofLedger].map(({ name }) => name),
        wouldRefuse: isClockOff(deps, catalog.databaseMs),
      };
    },
  };

  function planLedger({ partitions, databaseMs }: PartitionCatalog): Partition[] {
    return planRetention(partitions, databaseMs, config.retention.ledgerDays);
  }

  /** The ledger is not archived. */
  async function dropOldLedger(report: RetentionReport, signal: AbortSignal): Promise<void> {
    const expired = planLedger(await readPartitions(database, ledgerChunkTable));
    report.overdue += expired.length;
    for (const { name } of expired) {
      if (signal.aborted) return;
      const isExpired = (partition: Partition, catalog: PartitionCatalog): boolean =>
        planLedger(catalog).includes(partition);
      const result = await dropPartition(database, { table: ledgerChunkTable, name, isExpired });
      if (result === 'locked') {
        report.postponed.push(name);
        logger.warn({ partition: name }, 'partition is in use; it will be dropped later');
        return;
      }
      report.overdue -= 1;
      if (result !== 'dropped') continue;
      report.dropped.push(name);
      deps.onDropped(name);
      logger.info({ partition: name }, 'partition dropped');
    }
  }

  function dropExpired(expired: Partition, archiving: Archiving | null): Promise<ArchiveDropResult> {
    const isExpired = (partition: Partition, catalog: PartitionCatalog): boolean => plan(catalog).includes(partition);
    if (archiving !== null) return archiving.archiveAndDrop(expired, executionLogTable, isExpired);
    return dropPartition(database, { table: executionLogTable, name: expired.name, isExpired });
  }

  /** A table that somebody has attached again is a partition like all others, and one that was altered since stays. */
  async function lookAtMarked(): Promise<Marked> {
    const marked = await findMarked(database, executionLogTable);
    for (const place of marked.attached) {
      try {
        await removeMark(database, place, markTimeoutMs);
        logger.info({ partition: place.name }, 'attached again, no longer marked to be dropped');
      } catch (error) {
        const { class: errorClass, code } = classifyDatabaseError(error);
        if (errorClass === 'transient' && !lockCodes.includes(code)) throw error;
        logger.warn({ partition: place.name, code }, 'attached again, its comment that it is to be dropped stays');
      }
    }
    if (marked.altered.length > 0) {
      logger.warn(
        { names: marked.altered.map(({ name }) => name) },
        'detached partitions were altered after they had been marked to be dropped, so they are kept: drop them by hand, or take their comment off',
      );
    }
    return marked;
  }

  /** What an earlier run has detached, to drop it once it is archived, and has not come to. */
  function toDetached({ awaiting }: Marked, archiving: Archiving | null): Overdue[] {
    if (archiving !== null)
      return awaiting.map((table) => ({ place: table.place, isAttached: false, drop: () => archiving.drop(table) }));
    if (awaiting.length > 0) {
      const names = awaiting.map(({ place }) => place.name);
      logger.error({ names }, 'detached partitions wait to be archived: set SLUICE_ARCHIVE_DIR, or drop them manually');
    }
    return [];
  }

  async function dropOverdue(
    place: Overdue['place'],
    drop: Overdue['drop'],
    report: RetentionReport,
  ): Promise<'gone' | 'there' | 'locked' | 'no archive'> {
    const { name } = place;
    try {
      const early = await countEarly(database, place, days);
      const result = await drop();
      if (result === 'stopped') return 'there';
      if (result === 'locked') {
        report.postponed.push(name);
        logger.warn({ partition: name }, 'partition is in use; it will be dropped later');
      } else if (result === 'dropped') {
        report.dropped.push(name);
        deps.onDropped(name);
        if (archiveDir !== null) deps.onArchived('archived');
        logger.info({ partition: name }, archiveDir === null ? 'partition dropped' : 'partition archived and dropped');
        if (early > 0) tellEarly(deps, { table: executionLogTable, rows: early, keepDays: days });
      }
      return result === 'locked' ? 'locked' : 'gone';
    } catch (error) {
      const isOfFiles = error instanceof FileError;
      if (!isOfFiles && classifyDatabaseError(error).class === 'transient') throw error;
      const reason = isOfFiles ? `SLUICE_ARCHIVE_DIR: ${error.message}` : explainDatabaseError(error);
      report.failed.push({ name, reason });
      if (archiveDir !== null) deps.onArchived('failed');
      logger.error({ partition: name, reason }, 'partition could not be dropped');
      return isOfFiles ? 'no archive' : 'there';
    }
  }
}

type Archiving = ReturnType<typeof createArchiving>;

/** A table that is to go, and what makes it go. */
interface Overdue {
  place: Pick<Partition, 'schema' | 'name'>;
  isAttached: boolean;
  drop(): Promise<ArchiveDropResult>;
}

/**
 * Those that nobody has a lock on come first, each group in its order: tables that somebody keeps for days do not take the turn of
 * the others.
 */
async function freeFirst(database: Database, overdue: readonly Overdue[]): Promise<Overdue[]> {
  if (overdue.length < 2) return [...overdue];
  const rows = await database.$queryRaw<{ schema: string; name: string }[]>`
    select distinct nspname as schema, relname as name from pg_locks
    join pg_class on pg_class.oid = relation join pg_namespace on pg_namespace.oid = relnamespace
    where locktype = 'relation' and granted and pid is distinct from pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())
      and relname = any(${overdue.map(({ place }) => place.name)}::text[])`;
  const isFree = ({ place }: Overdue): boolean =>
    !rows.some(({ schema, name }) => schema === place.schema && name === place.name);
  return [...overdue.filter(isFree), ...overdue.filter((one) => !isFree(one))];
}

/** Enough to tell a slip from a stream. */
const maxRowsCounted = 10_000;

/** Rows of a partition that were stored less than so many days ago. Without a lock; 0 when it takes too long to find out. */
async function countEarly(database: Database, partition: Overdue['place'], days: number): Promise<number> {
  try {
    const [counted] = await database.$queryRaw<{ rows: number }[]>(Prisma.sql`
      select count(*)::int as rows from (
        select from ${quoteTable(partition)} where stored_at >= now() - make_interval(days => ${days}::int)
        limit ${maxRowsCounted}) as early`);
    return counted?.rows ?? 0;
  } catch (error) {
    // Somebody else has dropped it, holds it, or it is large.
    if ([undefinedTable, queryCanceled, lockNotAvailable].includes(classifyDatabaseError(error).code)) return 0;
    throw error;
  }
}

function toOutcome({ failed, postponed }: RetentionReport, interrupted: boolean): TaskOutcome {
  if (interrupted) return 'interrupted';
  if (failed.length > 0) return 'failed';
  return postponed.length > 0 ? 'postponed' : 'done';
}
