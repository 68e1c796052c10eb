import type { Config } from '../../shared/platform/config/config.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { DayPartition } from '../../shared/platform/postgres/partitions/partition-spans.ts';
import {
  ensurePartitions,
  executionLogTable,
  findMissingPartitions,
  isDayOf,
  type PartitionReport,
  planPartitions,
} from '../../shared/platform/postgres/partitions/partitions.ts';
import { attachUpcomingDays, dropClaim } from './attach-upcoming-days.ts';

export interface EnsureDeps {
  config: Pick<Config, 'database'>;
  database: Database;
  logger: Logger;
  /** ends a look that takes long */
  signal: AbortSignal;
  /** how long the DEFAULT partition may be looked through under a lock. @default 2000 */
  scanMs?: number;
}

/** Tries to make the partition of today, and logs what it did. */
export async function ensureToday(deps: EnsureDeps, nowMs: number): Promise<PartitionReport> {
  const missing = await findMissingPartitions(deps.database, executionLogTable, plan(deps, nowMs));
  const today = missing.filter((day) => isDayOf(day, nowMs));
  return tell(deps, await ensurePartitions(deps.database, executionLogTable, today, limitsOf(deps, 1)));
}

/**
 * Makes the partitions that are lacking, from yesterday's to that of `SLUICE_PARTITION_DAYS_AHEAD`, and logs what it did.
 * Each lock that it takes is short. What may take long holds nothing up.
 *
 * @param options.isQuick leaves out what takes long. @default false
 */
export async function ensureUpcomingPartitions(
  deps: EnsureDeps,
  nowMs: number,
  { isQuick = false }: { isQuick?: boolean } = {},
): Promise<PartitionReport> {
  const { database } = deps;
  const days = await findMissingPartitions(database, executionLogTable, plan(deps, nowMs));
  const report = await ensurePartitions(database, executionLogTable, days, limitsOf(deps, isQuick ? 1 : 3));
  const isToCome = ({ name, from }: DayPartition): boolean =>
    Date.parse(from) > nowMs && report.postponed.some((day) => day.name === name && day.why === 'scan too long');
  const toCome = isQuick ? [] : days.filter(isToCome);
  if (toCome.length === 0) {
    if (!(await dropClaim(database, executionLogTable)))
      deps.logger.warn('the DEFAULT partition is in use; a constraint of an earlier check stays until the next check');
    return tell(deps, report);
  }
  deps.logger.info(
    { days: toCome.map(({ name }) => name) },
    'reading the DEFAULT partition; inserts continue meanwhile',
  );
  const later = await attachUpcomingDays(deps, executionLogTable, toCome);
  return tell(deps, {
    created: [...report.created, ...later.created],
    blocked: [...report.blocked, ...later.blocked],
    postponed: [...report.postponed.filter(({ name }) => !toCome.some((day) => day.name === name)), ...later.postponed],
  });
}

function limitsOf({ scanMs, signal }: EnsureDeps, tries: number) {
  return { tries, signal, ...(scanMs === undefined ? {} : { scanMs }) };
}

function plan({ config }: EnsureDeps, nowMs: number): DayPartition[] {
  const { partitionDaysAhead, partitionBy } = config.database;
  return planPartitions(executionLogTable, nowMs, partitionDaysAhead, partitionBy);
}

function tell({ logger }: EnsureDeps, report: PartitionReport): PartitionReport {
  const { created, blocked, postponed } = report;
  if (created.length > 0) logger.info({ created }, 'partitions created');
  if (blocked.length > 0)
    logger.warn(
      { blocked },
      'the DEFAULT partition has rows of these days; maintenance moves them to their own partitions',
    );
  const isAllowed = !postponed.some(({ why }) => why === 'not allowed');
  if (postponed.length > 0)
    logger.warn(
      { postponed },
      isAllowed
        ? 'partitions could not be created now; trying again at the next check'
        : 'the user of DATABASE_URL may not create partitions: run the maintenance role, or `sluice migrate` every day, as the owner of the tables',
    );
  return report;
}
