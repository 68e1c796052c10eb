import { type Database, Prisma } from '../../shared/database.ts';
import {
  classifyDatabaseError,
  explainDatabaseError,
  lockNotAvailable,
  queryCanceled,
} from '../../shared/database-errors.ts';
import { type Partition, type PartitionCatalog, quoteTable, readPartitions } from '../../shared/partition-catalog.ts';
import { executionLogTable } from '../../shared/partitions.ts';
import { isClockOff } from './clock.ts';
import { dropPartition } from './drop-partition.ts';
import { planRetention } from './retention-plan.ts';
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
 * Lock waits in vain after which a run ends. Each of them holds inserts up; one alone would let a reader that never ends
 * keep the oldest partition, and all others with it.
 */
const maxLockWaits = 3;

/** Drops the partitions that are older than `SLUICE_RETENTION_DAYS`. The time is the database's. */
export function createRetentionTask(deps: TaskDeps): Task<RetentionReport> {
  const { config, database, logger } = deps;
  const { days } = config.retention;
  const plan = ({ partitions, databaseMs }: PartitionCatalog) => planRetention(partitions, databaseMs, days);

  return {
    async run(signal) {
      const report: RetentionReport = { outcome: 'done', dropped: [], postponed: [], failed: [], overdue: 0 };
      const catalog = await readPartitions(database, executionLogTable);
      if (isClockOff(deps, catalog.databaseMs)) return { ...report, outcome: 'refused', overdue: plan(catalog).length };
      const expired = plan(catalog);
      let gone = 0;
      for (const partition of expired) {
        if (signal.aborted || report.postponed.length === maxLockWaits) break;
        if (await drop(partition, report)) gone += 1;
      }
      report.overdue = expired.length - gone;
      report.outcome = toOutcome(report, signal.aborted && report.overdue > 0);
      return report;
    },
    async preview() {
      const catalog = await readPartitions(database, executionLogTable);
      return { wouldDrop: plan(catalog).map(({ name }) => name), wouldRefuse: isClockOff(deps, catalog.databaseMs) };
    },
  };

  /** @returns whether it is there no more */
  async function drop(expired: Partition, report: RetentionReport): Promise<boolean> {
    const { name } = expired;
    try {
      const early = await countEarly(database, expired, days);
      const result = await dropPartition(database, {
        table: executionLogTable,
        name,
        isExpired: (partition, catalog) => plan(catalog).includes(partition),
      });
      if (result === 'locked') {
        report.postponed.push(name);
        logger.warn({ partition: name }, 'partition is in use, it will be dropped later');
      } else if (result === 'dropped') {
        report.dropped.push(name);
        deps.onDropped(name);
        logger.info({ partition: name }, 'partition dropped');
        if (early > 0) tellEarly(deps, { table: executionLogTable, rows: early, keepDays: days });
      }
      return result !== 'locked';
    } catch (error) {
      if (classifyDatabaseError(error).class === 'transient') throw error;
      const reason = explainDatabaseError(error);
      report.failed.push({ name, reason });
      logger.error({ partition: name, reason }, 'partition could not be dropped');
      return false;
    }
  }
}

/** Enough to tell a slip from a stream. */
const maxRowsCounted = 10_000;

/** Rows of a partition that were stored less than so many days ago. Without a lock; 0 when it takes too long to find out. */
async function countEarly(database: Database, partition: Partition, days: number): Promise<number> {
  try {
    const [counted] = await database.$queryRaw<{ rows: number }[]>(Prisma.sql`
      select count(*)::int as rows from (
        select from ${quoteTable(partition)} where stored_at >= now() - make_interval(days => ${days}::int)
        limit ${maxRowsCounted}) as early`);
    return counted?.rows ?? 0;
  } catch (error) {
    // Somebody else has dropped it, holds it, or it is large.
    if (['42P01', queryCanceled, lockNotAvailable].includes(classifyDatabaseError(error).code)) return 0;
    throw error;
  }
}

function toOutcome({ failed, postponed }: RetentionReport, interrupted: boolean): TaskOutcome {
  if (interrupted) return 'interrupted';
  if (failed.length > 0) return 'failed';
  return postponed.length > 0 ? 'postponed' : 'done';
}
