import type { Config } from '../shared/config.ts';
import type { Database } from '../shared/database.ts';
import type { Logger } from '../shared/logger.ts';
import {
  ensurePartitions,
  executionLogTable,
  isDayOf,
  type PartitionReport,
  planPartitions,
} from '../shared/partitions.ts';

/** Which of the days from yesterday to `SLUICE_PARTITION_DAYS_AHEAD` are looked at. */
export type LookedAt = 'all' | 'today' | 'all but today';

/** Makes the partitions of these days that are lacking, and logs what it did. @param which @default 'all' */
export async function lookAfterPartitions(
  deps: { config: Pick<Config, 'database'>; database: Database; logger: Logger },
  nowMs: number,
  which: LookedAt = 'all',
): Promise<PartitionReport> {
  const plan = planPartitions(executionLogTable, nowMs, deps.config.database.partitionDaysAhead).filter(
    (day) => which === 'all' || isDayOf(day, nowMs) === (which === 'today'),
  );
  const report = await ensurePartitions(deps.database, executionLogTable, plan);
  const { created, blocked } = report;
  if (created.length > 0) deps.logger.info({ created }, 'partitions created');
  if (blocked.length > 0)
    deps.logger.error(
      { blocked },
      'the DEFAULT partition has rows of these days; move them, then their partitions can be made',
    );
  return report;
}
