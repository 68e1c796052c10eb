import type { Logger } from '../../../shared/platform/logging/logger.ts';
import { createPatientDatabase } from '../../runtime/worker-database.ts';
import { type CopyProgress, copyRows, readColumns } from './copy-rows.ts';
import { countRows, type FindDeps, findDefault, findObstacle, hasMovable, mostPerRun, planMove } from './find-past.ts';
import { anotherMoves, askedToStop, reasonOf, tookTooLong } from './move-reasons.ts';
import { beginMove, cleanUp, type MoverDeps, trySwap, workOffBetween } from './move-tries.ts';
import { dropStaging, hasStaging } from './staging.ts';

export interface PastDeps extends FindDeps {
  logger: Logger;
  /** told of every batch that was copied */
  onMoving?(progress: CopyProgress): void;
}

/** What became of rows of the DEFAULT partition that have days of their own. */
export interface PastReport {
  /** partitions that were made of them */
  moved: string[];
  movedRows: number;
  /** why some of them are still there; null when all that may be moved were */
  waiting: string | null;
}

/** Partitions that are exchanged at once. The time under the lock grows with them: on a server with much to do, fewer are tried. */
const mostAtOnce = 25;
const fewerBy = 4;

const moveTimeoutMs = 24 * 3_600_000;
const progressEveryMs = 10_000;

/** Any fixed number: processes that move rows take turns on it. */
const advisoryLock = 7_270_414;

/**
 * Makes the partitions that the DEFAULT partition has rows of, and takes these rows there. They are copied beside reads and
 * inserts, then the tables are exchanged in one short transaction: each row is seen once, at any moment. Wherever it dies,
 * all rows are in the DEFAULT partition, and the next run begins anew.
 */
export async function movePast(deps: PastDeps, signal: AbortSignal): Promise<PastReport> {
  const report: PastReport = { moved: [], movedRows: 0, waiting: null };
  // In the usual case there is nothing to do, and nothing is locked.
  if (!(await hasStaging(deps.database)) && !(await hasMovable(deps))) return report;
  const mover = createPatientDatabase(deps.config.database, 4);
  try {
    await mover.$transaction(
      async (turn) => {
        const [had] = await turn.$queryRaw<
          { lock: boolean }[]
        >`select pg_try_advisory_xact_lock(${advisoryLock}) as lock`;
        if (!had?.lock) {
          report.waiting = anotherMoves;
          return;
        }
        // The last statement of the driver keeps its snapshot until the next one: this one has none, and holds nobody up.
        await turn.$executeRaw`set local idle_in_transaction_session_timeout = 0`;
        await turn.$queryRaw`select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'`;
        // Throws when its connection was ended, and the lock with it.
        const holdTurn = async (): Promise<void> => void (await turn.$queryRaw`select 1`);
        await dropStaging(mover);
        let most: number | null = mostAtOnce;
        while (most !== null && report.moved.length < mostPerRun)
          most = await moveSome({ ...deps, database: mover, holdTurn }, { report, most }, signal);
      },
      { timeout: moveTimeoutMs },
    );
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) throw error;
    report.waiting = reason;
  } finally {
    await mover.$disconnect();
  }
  return report;
}

/** @returns how many partitions to exchange next, fewer when it took too long; null when there are no more, or they have to wait */
async function moveSome(
  deps: PastDeps & MoverDeps,
  { report, most }: { report: PastReport; most: number },
  signal: AbortSignal,
): Promise<number | null> {
  const { database, logger, holdTurn } = deps;
  const catchAll = await findDefault(database);
  if (catchAll === null || signal.aborted) return null;
  const partitions = await planMove(deps, catchAll, most);
  if (partitions.length === 0) return null;
  const obstacle = await findObstacle(database, catchAll);
  if (obstacle !== null) {
    report.waiting = obstacle;
    return null;
  }
  logger.info({ partitions: partitions.length }, 'moving rows from the DEFAULT partition; reads and inserts continue');
  const made = await beginMove(deps, { catchAll, partitions, signal });
  try {
    const move = { catchAll, columns: await readColumns(database, catchAll), made };
    const copied = await copyRows(database, move, {
      signal,
      holdTurn,
      workOff: () => workOffBetween(deps, move, signal),
      onBatch: tellProgress(deps),
    });
    const why = copied === null ? askedToStop : await trySwap(deps, move, { partitions, signal });
    if (why === tookTooLong && partitions.length > 1) return Math.ceil(partitions.length / fewerBy);
    if (why !== null) {
      report.waiting = why;
      return null;
    }
    const rows = await countRows(database, partitions);
    report.moved.push(...partitions.map(({ name }) => name));
    report.movedRows += rows;
    logger.info({ partitions: partitions.map(({ name }) => name), rows }, 'rows moved from the DEFAULT partition');
    return partitions.length === most ? most : null;
  } finally {
    await cleanUp(deps, made, signal);
  }
}

/** Says every ten seconds how far it is. */
function tellProgress({ logger, onMoving }: PastDeps): (progress: CopyProgress) => void {
  let toldAt = performance.now();
  return (progress) => {
    onMoving?.(progress);
    if (performance.now() - toldAt < progressEveryMs) return;
    toldAt = performance.now();
    const { rows, bytes, ofBytes } = progress;
    logger.info(
      { rows, percent: Math.round((bytes / Math.max(ofBytes, 1)) * 100) },
      'copying rows of the DEFAULT partition',
    );
  };
}
