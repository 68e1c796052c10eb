import { Prisma } from '../../shared/database.ts';
import { readDatabaseClock } from '../../shared/database-clock.ts';
import { coveredUntilMs } from '../../shared/partition-bounds.ts';
import { quoteTable, readPartitions } from '../../shared/partition-catalog.ts';
import { executionLogTable, findMissingPartitions, planPartitions } from '../../shared/partitions.ts';
import { lookAfterPartitions } from '../look-after-partitions.ts';
import type { Task, TaskDeps } from './task.ts';

/** What the table looks like from above. */
export interface PartitionState {
  /** days from now to the first instant that only the DEFAULT partition would take; 0 when that is now */
  aheadDays: number;
  /** rows of the DEFAULT partition, counted up to 10,000 */
  defaultRows: number;
}

export interface PartitionsReport extends PartitionState {
  /** `postponed` when some of them could not be made now */
  outcome: 'done' | 'postponed';
  created: string[];
  /** days that have rows in the DEFAULT partition already */
  blocked: string[];
  /** days that wait for somebody's lock, or for the DEFAULT partition to be smaller, and for which of these */
  postponed: { name: string; why: string }[];
}

const dayMs = 86_400_000;
const maxAheadDays = 3_650;
/** Enough to tell a slip from a stream, and cheap at every size of the partition. */
const maxRowsCounted = 10_000;

const remedy =
  'rows lie in the DEFAULT partition, where retention does not reach them: their recorded_at tells which producer has a wrong clock; then delete them or move them to a partition of their day';

/** Makes the partitions of the coming days, by the database's clock, and raises the alarm when rows lie in the DEFAULT one. */
export function createPartitionsTask(deps: TaskDeps): Task<PartitionsReport> {
  return {
    async run(signal) {
      const report = await lookAfterPartitions({ ...deps, signal }, await readDatabaseClock(deps.database));
      const state = await readState(deps);
      if (state.defaultRows > 0) deps.logger.error(state, remedy);
      return { outcome: report.postponed.length > 0 ? 'postponed' : 'done', ...report, ...state };
    },
    async preview() {
      const plan = planPartitions(
        executionLogTable,
        await readDatabaseClock(deps.database),
        deps.config.database.partitionDaysAhead,
        deps.config.database.partitionBy,
      );
      const missing = await findMissingPartitions(deps.database, executionLogTable, plan);
      return { wouldCreate: missing.map(({ name }) => name), ...(await readState(deps)) };
    },
  };
}

async function readState({ database }: TaskDeps): Promise<PartitionState> {
  const { partitions, databaseMs } = await readPartitions(database, executionLogTable);
  const untilMs = coveredUntilMs(
    partitions.map(({ bounds }) => bounds),
    databaseMs,
  );
  const aheadDays = Math.min((untilMs - databaseMs) / dayMs, maxAheadDays);
  const catchAll = partitions.find(({ bounds }) => bounds.kind === 'default');
  if (catchAll === undefined) return { aheadDays, defaultRows: 0 };
  const [counted] = await database.$queryRaw<{ rows: number }[]>(
    Prisma.sql`select count(*)::int as rows from (select from ${quoteTable(catchAll)} limit ${maxRowsCounted}) as counted`,
  );
  return { aheadDays, defaultRows: counted?.rows ?? 0 };
}
