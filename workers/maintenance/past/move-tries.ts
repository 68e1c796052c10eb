import { pause } from '../../../shared/platform/deadline.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import { type Database, Prisma } from '../../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../../shared/platform/postgres/database-errors.ts';
import { type Partition, readPartitions } from '../../../shared/platform/postgres/partitions/partition-catalog.ts';
import type { DayPartition } from '../../../shared/platform/postgres/partitions/partition-spans.ts';
import { executionLogTable } from '../../../shared/platform/postgres/partitions/partitions.ts';
import { retry } from '../../../shared/platform/retry.ts';
import { type Move, notesAtOnce, workOff } from './catch-up.ts';
import { askedToStop, busyCodes, tookTooLong, tooManyChanges, whyPostponed } from './move-reasons.ts';
import { dropStaging, makeStaging, oidOf, type Staging } from './staging.ts';
import { swapDefault } from './swap-default.ts';

/** What it takes to try again and again what somebody else may be in the way of. */
export interface MoverDeps {
  database: Database;
  logger: Logger;
  /** throws when another process may have its turn */
  holdTurn(): Promise<void>;
}

/** Tries for the moment in which the tables are exchanged. Each has inserts wait a little. */
const tries = 20;
const pauseMs = { min: 500, max: 3_000 };
/** Of them, so many that the exchange itself was too slow for. */
const mostTookLong = 6;
/** For a vacuum of the DEFAULT partition to end. */
const quietMs = { within: 600_000, every: 500 };
/** For the changes since the copy, of each try. Between its batches they are given less time. */
const workOffMs = { between: 5_000, after: 60_000 };
const cleanUpTries = 10;

/** @throws what the database said: of a lock only when there were many tries */
export function beginMove(
  deps: MoverDeps,
  { catchAll, partitions, signal }: { catchAll: Partition; partitions: readonly DayPartition[]; signal: AbortSignal },
): Promise<Staging> {
  const begin = async (): Promise<Staging> => {
    await awaitQuiet(deps, catchAll, signal);
    return makeStaging(deps.database, { table: executionLogTable, catchAll, partitions });
  };
  return retry(begin, {
    signal,
    delayMs(error, attempt) {
      const { code } = classifyDatabaseError(error);
      const left = tries - attempt - 1;
      if (left === 0 || !busyCodes.includes(code)) return null;
      deps.logger.info({ code, left }, 'the DEFAULT partition is in use; the exchange is tried again');
      return betweenTriesMs();
    },
  });
}

/** Never throws: what ended the move is of more interest. What stays is taken away by the next run. */
export async function cleanUp({ database, logger }: MoverDeps, made: Staging, signal: AbortSignal): Promise<void> {
  for (let left = signal.aborted ? 2 : cleanUpTries; left > 0; left -= 1) {
    try {
      return await dropStaging(database, made);
    } catch (error) {
      const { code } = classifyDatabaseError(error);
      logger.warn({ code, left: left - 1 }, 'the tables and trigger used for the move could not be removed');
    }
    if (left > 1) await pause(betweenTriesMs(), signal);
  }
}

function betweenTriesMs(): number {
  return pauseMs.min + Math.random() * (pauseMs.max - pauseMs.min);
}

/**
 * Waits, without a place in the queue for a lock, while somebody changes, vacuums or analyzes a table. Autovacuum, which is likely
 * after so many rows, gives way only to who waits for a second, and inserts would wait with them.
 */
async function awaitQuiet({ database, holdTurn }: MoverDeps, place: Partition, signal: AbortSignal): Promise<void> {
  for (const untilMs = performance.now() + quietMs.within; ; await pause(quietMs.every, signal)) {
    await holdTurn();
    if (signal.aborted || performance.now() > untilMs) return;
    const [found] = await database.$queryRaw<{ busy: boolean }[]>(Prisma.sql`
      select count(*) > 0 as busy from pg_locks
      where locktype = 'relation' and granted and mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
        and database = (select oid from pg_database where datname = current_database()) 
        and relation in (select unnest(array[oid, reltoastrelid]) from pg_class where oid = ${oidOf(place)})`);
    if (!found?.busy) return;
  }
}

/** What takes too long now is left for after the copy. */
export async function workOffBetween(
  { database, holdTurn }: MoverDeps,
  move: Move,
  signal: AbortSignal,
): Promise<void> {
  try {
    await workOff(database, move, { forMs: workOffMs.between, signal, holdTurn });
  } catch (error) {
    if (!busyCodes.includes(classifyDatabaseError(error).code)) throw error;
  }
}

/** @returns why the tables could not be exchanged; null when they were */
export async function trySwap(
  deps: MoverDeps,
  move: Move,
  { partitions, signal }: { partitions: readonly DayPartition[]; signal: AbortSignal },
): Promise<string | null> {
  const { database, logger, holdTurn } = deps;
  let why = '';
  let most = notesAtOnce;
  let wasTried = false;
  let tookLong = 0;
  for (let left = tries; left > 0 && !signal.aborted && tookLong < mostTookLong; left -= 1) {
    await holdTurn();
    let isCaughtUp = false;
    try {
      await awaitQuiet(deps, move.catchAll, signal);
      isCaughtUp = await workOff(database, move, { most, forMs: workOffMs.after, signal, holdTurn });
      if (isCaughtUp) {
        await swapDefault(database, move, { table: executionLogTable, partitions });
        return null;
      }
      why = tooManyChanges;
    } catch (error) {
      wasTried ||= isCaughtUp;
      // Also for the pool, to hear of connections that the server has ended.
      await pause(betweenTriesMs(), signal);
      // An answer that was lost may have been that it is done.
      if (wasTried && (await isExchanged(database, partitions))) return null;
      const isBusy = busyCodes.includes(classifyDatabaseError(error).code);
      // Large rows take longer.
      if (!isCaughtUp && isBusy) [why, most] = [tooManyChanges, Math.ceil(most / 2)];
      else if (wasTried) why = whyPostponed(error);
      else throw error;
      if (why === tookTooLong) tookLong += 1;
    }
    logger.info({ why, left: left - 1 }, 'the moved rows wait for their moment');
  }
  return signal.aborted ? askedToStop : why;
}

/** False also where the database does not tell: it is asked again after the next try. */
async function isExchanged(database: Database, made: readonly DayPartition[]): Promise<boolean> {
  const catalog = await readPartitions(database, executionLogTable).catch(() => null);
  return made.every(({ name }) => catalog?.partitions.some((partition) => partition.name === name));
}
