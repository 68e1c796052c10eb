import { Prisma } from '../../shared/platform/postgres/database.ts';
import { readDatabaseClock } from '../../shared/platform/postgres/database-clock.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { coveredUntilMs } from '../../shared/platform/postgres/partitions/partition-bounds.ts';
import { quoteTable, readPartitions } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import {
  executionLogTable,
  findMissingPartitions,
  planPartitions,
} from '../../shared/platform/postgres/partitions/partitions.ts';
import { ensureLedgerPartitions } from '../partitions/ensure-ledger-partitions.ts';
import { ensureUpcomingPartitions } from '../partitions/ensure-upcoming-partitions.ts';
import { buildLackingIndexes, type IndexReport } from './build-indexes.ts';
import { previewPast } from './past/find-past.ts';
import { movePast, type PastReport } from './past/move-past.ts';
import type { Task, TaskDeps } from './task.ts';

/** What the table looks like from above. */
export interface PartitionState {
  /** days from now to the first instant that only the DEFAULT partition would take; 0 when that is now */
  aheadDays: number;
  /** rows of the DEFAULT partition, counted up to 10,000 */
  defaultRows: number;
}

export interface PartitionsReport extends PartitionState {
  /** `postponed` when some of them could not be made now, or rows could not be moved; `failed` when the database refused that */
  outcome: 'done' | 'postponed' | 'interrupted' | 'failed';
  created: string[];
  /** days that have rows in the DEFAULT partition already */
  blocked: string[];
  /** days that wait for somebody's lock, or for the DEFAULT partition to be smaller, and for which of these */
  postponed: { name: string; why: string }[];
  /** partitions that were made of rows of the DEFAULT partition, and their rows */
  moved: string[];
  movedRows: number;
  /** why rows that could be moved are still there, if any are */
  waiting?: string;
  /** partitions that an index was built on, if any was */
  indexed?: string[];
  /** why partitions lack an index, if any do */
  indexWaiting?: string;
}

const dayMs = 86_400_000;
const maxAheadDays = 3_650;
/** Enough to tell a slip from a stream, and cheap at every size of the partition. */
const maxRowsCounted = 10_000;

const noIndexes: IndexReport = { indexed: [], waiting: null };

const remedy =
  'the DEFAULT partition has rows. Maintenance moves those within the retention, or says why it cannot; the others are deleted this many days after they were stored: their recorded_at shows which producer has a wrong clock or sends records older than the retention';

/**
 * Makes the partitions of the coming days, by the database's clock, and those of other days that the DEFAULT one has rows of, and
 * takes these there, and builds indexes that partitions lack. Raises the alarm when rows are left in it.
 */
export function createPartitionsTask(deps: TaskDeps): Task<PartitionsReport> {
  return {
    async run(signal) {
      const look = async () => ensureUpcomingPartitions({ ...deps, signal }, await readDatabaseClock(deps.database));
      await ensureLedgerPartitions({ ...deps, signal }, await readDatabaseClock(deps.database));
      const first = await look();
      const { isRefused, waiting, ...past } = await moveOrTell(deps, signal);
      if (past.movedRows > 0) deps.onMoved?.(past.movedRows);
      // Days to come that had rows there.
      const last = past.moved.length > 0 && first.blocked.length > 0 ? await look() : { ...first, created: [] };
      // A build waits for everybody who reads the table, and so would the task.
      const isInUse = last.postponed.length > 0;
      const indexes = isInUse ? noIndexes : await buildLackingIndexes(deps, executionLogTable, signal);
      const state = await readState(deps);
      if (state.defaultRows > 0) deps.logger.error({ ...state, ...(waiting === null ? {} : { waiting }) }, remedy);
      const isWaiting = isInUse || waiting !== null || indexes.waiting !== null;
      return {
        outcome: isRefused
          ? 'failed'
          : signal.aborted && (waiting ?? indexes.waiting) !== null
            ? 'interrupted'
            : isWaiting
              ? 'postponed'
              : 'done',
        ...last,
        created: [...first.created, ...last.created],
        ...past,
        ...(waiting === null ? {} : { waiting }),
        ...(indexes.indexed.length === 0 ? {} : { indexed: indexes.indexed }),
        ...(indexes.waiting === null ? {} : { indexWaiting: indexes.waiting }),
        ...state,
      };
    },
    async preview() {
      const plan = planPartitions(
        executionLogTable,
        await readDatabaseClock(deps.database),
        deps.config.database.partitionDaysAhead,
        deps.config.database.partitionBy,
      );
      const missing = await findMissingPartitions(deps.database, executionLogTable, plan);
      const wouldMove = await previewPast(deps);
      const wouldCreate = missing.map(({ name }) => name).filter((name) => !wouldMove.includes(name));
      return { wouldCreate, wouldMove, ...(await readState(deps)) };
    },
  };
}

/** What the database refuses must not hide what the table looks like. @throws what waiting may help, and bugs */
async function moveOrTell(deps: TaskDeps, signal: AbortSignal): Promise<PastReport & { isRefused: boolean }> {
  try {
    const report = await movePast(deps, signal);
    if (report.waiting !== null)
      deps.logger.warn({ reason: report.waiting }, 'rows stay in the DEFAULT partition until the next run');
    return { ...report, isRefused: false };
  } catch (error) {
    const { class: errorClass } = classifyDatabaseError(error);
    if (errorClass === 'transient' || errorClass === 'unknown') throw error;
    const waiting = explainDatabaseError(error);
    deps.logger.error({ reason: waiting }, 'rows could not be moved from the DEFAULT partition');
    return { moved: [], movedRows: 0, waiting, isRefused: true };
  }
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
