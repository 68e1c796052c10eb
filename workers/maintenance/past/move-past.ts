import type { Config } from '../../../shared/platform/config/config.ts';
import { pause } from '../../../shared/platform/deadline.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import { createDatabase, type Database, Prisma } from '../../../shared/platform/postgres/database.ts';
import {
  classifyDatabaseError,
  explainDatabaseError,
  insufficientPrivilege,
  lockCodes,
  queryCanceled,
} from '../../../shared/platform/postgres/database-errors.ts';
import { TableMoved } from '../../../shared/platform/postgres/held-table.ts';
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
import { type Move, notesAtOnce, workOff } from './catch-up.ts';
import { type CopyProgress, copyRows, readColumns } from './copy-rows.ts';
import { type DayRows, type MovableTimes, movableTimes, planPast } from './plan-past.ts';
import { dropStaging, hasStaging, makeStaging, oidOf, type Staging } from './staging.ts';
import { SwapPostponed, swapDefault } from './swap-default.ts';

export interface PastDeps {
  config: Pick<Config, 'database' | 'retention'>;
  database: Database;
  logger: Logger;
  /** told of every batch that was copied */
  onMoving?(progress: CopyProgress): void;
}

interface MoverDeps extends PastDeps {
  /** throws when another process may have its turn */
  holdTurn(): Promise<void>;
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
/** What is left comes in the next run. */
const mostPerRun = 400;

const readTimeoutMs = 3_600_000;
const moveTimeoutMs = 24 * 3_600_000;
const progressEveryMs = 10_000;

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

/** Any fixed number: processes that move rows take turns on it. */
const advisoryLock = 7_270_414;

const busyCodes = [...lockCodes, '40001'];

const askedToStop = 'asked to stop';
const tableInUse = 'somebody uses the table all the time';
const tookTooLong = 'the exchange of the tables takes too long: the server has much to do';
const tooManyChanges = 'rows of the DEFAULT partition change faster than their copies';

/** What of the database's refusals only means that rows stay where they are for now. */
const reasons: Record<string, string> = {
  ...Object.fromEntries(busyCodes.map((code) => [code, 'the DEFAULT partition is in use'])),
  '42P17': 'a partition of these days was created meanwhile',
  '53100':
    'the disk of PostgreSQL is full, and the copies are removed again: free as much space as the DEFAULT partition uses',
  [insufficientPrivilege]:
    'the role of DATABASE_URL may not create partitions: run maintenance as the owner of the tables',
};

/**
 * Makes the partitions that the DEFAULT partition has rows of, and takes these rows there. They are copied beside reads and
 * inserts, then the tables are exchanged in one short transaction: each row is seen once, at any moment. Wherever it dies,
 * all rows are in the DEFAULT partition, and the next run begins anew.
 */
export async function movePast(deps: PastDeps, signal: AbortSignal): Promise<PastReport> {
  const report: PastReport = { moved: [], movedRows: 0, waiting: null };
  // In the usual case there is nothing to do, and nothing is locked.
  if (!(await hasStaging(deps.database)) && !(await hasMovable(deps))) return report;
  const mover = createPatient(deps, 4);
  try {
    await mover.$transaction(
      async (turn) => {
        const [had] = await turn.$queryRaw<
          { lock: boolean }[]
        >`select pg_try_advisory_xact_lock(${advisoryLock}) as lock`;
        if (!had?.lock) {
          report.waiting = 'another process is moving rows';
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
    const reason = error instanceof TableMoved ? 'another process is moving rows' : reasonOf(error);
    if (reason === null) throw error;
    report.waiting = reason;
  } finally {
    await mover.$disconnect();
  }
  return report;
}

/** No room, and failures of the server itself: to copy all of it again at once would end alike. */
const isOfTheServer = /^(?:53|58|XX)/;

/** Why rows stay where they are until the next turn; null when this is no reason to wait for it. */
function reasonOf(error: unknown): string | null {
  const { code } = classifyDatabaseError(error);
  return reasons[code] ?? (isOfTheServer.test(code) ? explainDatabaseError(error) : null);
}

/** A pool whose statements may take an hour, those of the worker's own may not. */
function createPatient({ config }: Pick<PastDeps, 'config'>, poolSize: number): Database {
  return createDatabase({ ...config.database, statementTimeoutMs: readTimeoutMs, poolSize }, 'sluice partitions');
}

/** The partitions that a run would make of what is in the DEFAULT partition. */
export async function previewPast({ config, database }: Pick<PastDeps, 'config' | 'database'>): Promise<string[]> {
  const catchAll = await findDefault(database);
  if (catchAll === null) return [];
  const reader = createPatient({ config }, 1);
  try {
    return (await plan({ config, database: reader }, catchAll, mostPerRun)).map(({ name }) => name);
  } finally {
    await reader.$disconnect();
  }
}

/** Whether some row may be moved, at a glance: where it takes too long to tell, maybe. */
async function hasMovable({ config, database }: PastDeps): Promise<boolean> {
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

function timesOf({ database, retention }: PastDeps['config'], nowMs: number): MovableTimes {
  const { partitionDaysAhead: daysAhead, partitionBy: unit } = database;
  return movableTimes(nowMs, { retentionDays: retention.days, daysAhead, unit });
}

function isMovable({ fromMs, untilMs }: MovableTimes): Prisma.Sql {
  return Prisma.sql`recorded_at >= ${new Date(fromMs)} and recorded_at < ${new Date(untilMs)}`;
}

/** @returns how many partitions to exchange next, fewer when it took too long; null when there are no more, or they have to wait */
async function moveSome(
  deps: MoverDeps,
  { report, most }: { report: PastReport; most: number },
  signal: AbortSignal,
): Promise<number | null> {
  const { database, logger, holdTurn } = deps;
  const catchAll = await findDefault(database);
  if (catchAll === null || signal.aborted) return null;
  const partitions = await plan(deps, catchAll, most);
  if (partitions.length === 0) return null;
  const obstacle = await findObstacle(database, catchAll);
  if (obstacle !== null) {
    report.waiting = obstacle;
    return null;
  }
  logger.info({ partitions: partitions.length }, 'moving rows from the DEFAULT partition; reads and inserts continue');
  const made = await begin(deps, { catchAll, partitions, signal });
  try {
    const move = { catchAll, columns: await readColumns(database, catchAll), made };
    const copied = await copyRows(database, move, {
      signal,
      holdTurn,
      workOff: () => workOffBetween(deps, move, signal),
      onBatch: tellProgress(deps),
    });
    const why = copied === null ? askedToStop : await insist(deps, move, { partitions, signal });
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

/** Never throws: what ended the move is of more interest. What stays is taken away by the next run. */
async function cleanUp({ database, logger }: PastDeps, made: Staging, signal: AbortSignal): Promise<void> {
  for (let left = signal.aborted ? 2 : cleanUpTries; left > 0; left -= 1) {
    try {
      return await dropStaging(database, made);
    } catch (error) {
      const { code } = classifyDatabaseError(error);
      logger.warn({ code, left: left - 1 }, 'the tables and trigger used for the move could not be removed');
    }
    if (left > 1) await pauseBetweenTries(signal);
  }
}

function pauseBetweenTries(signal: AbortSignal): Promise<void> {
  return pause(pauseMs.min + Math.random() * (pauseMs.max - pauseMs.min), signal);
}

/** @throws what the database said: of a lock only when there were many tries */
async function begin(
  deps: MoverDeps,
  { catchAll, partitions, signal }: { catchAll: Partition; partitions: readonly DayPartition[]; signal: AbortSignal },
): Promise<Staging> {
  const { database, logger } = deps;
  for (let left = tries; ; left -= 1) {
    await awaitQuiet(deps, catchAll, signal);
    try {
      return await makeStaging(database, { table: executionLogTable, catchAll, partitions });
    } catch (error) {
      const { code } = classifyDatabaseError(error);
      if (left <= 1 || signal.aborted || !busyCodes.includes(code)) throw error;
      logger.info({ code, left: left - 1 }, 'the DEFAULT partition is in use; the exchange is tried again');
    }
    await pauseBetweenTries(signal);
  }
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
async function workOffBetween({ database, holdTurn }: MoverDeps, move: Move, signal: AbortSignal): Promise<void> {
  try {
    await workOff(database, move, { forMs: workOffMs.between, signal, holdTurn });
  } catch (error) {
    if (!busyCodes.includes(classifyDatabaseError(error).code)) throw error;
  }
}

/** @returns why the tables could not be exchanged; null when they were */
async function insist(
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
      await pauseBetweenTries(signal);
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

/**
 * Why the tables were not exchanged in a try after which there may be another one. The server ends the transaction of a process
 * that has no turn for too long, by the limits of the exchange or those of a pooler: nothing is lost with it.
 *
 * @throws the error, when the next try would end alike
 */
function whyPostponed(error: unknown): string {
  if (error instanceof SwapPostponed) return `the tables could not be exchanged: ${error.message}`;
  const { class: errorClass, code } = classifyDatabaseError(error);
  if (code === queryCanceled) return tookTooLong;
  if (busyCodes.includes(code)) return tableInUse;
  if (errorClass === 'transient' && !isOfTheServer.test(code)) return 'the exchange of the tables was ended';
  throw error;
}

/** False also where the database does not tell: it is asked again after the next try. */
async function isExchanged(database: Database, made: readonly DayPartition[]): Promise<boolean> {
  const catalog = await readPartitions(database, executionLogTable).catch(() => null);
  return made.every(({ name }) => catalog?.partitions.some((partition) => partition.name === name));
}

async function findDefault(database: Database): Promise<Partition | null> {
  return defaultOf((await readPartitions(database, executionLogTable)).partitions);
}

function defaultOf(partitions: readonly Partition[]): Partition | null {
  return partitions.find(({ bounds, isDroppable }) => bounds.kind === 'default' && isDroppable) ?? null;
}

async function plan(
  { config, database }: Pick<PastDeps, 'config' | 'database'>,
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
async function findObstacle(database: Database, { schema, name }: Partition): Promise<string | null> {
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

async function countRows(database: Database, partitions: readonly DayPartition[]): Promise<number> {
  let rows = 0;
  for (const { name } of partitions) {
    const [counted] = await database.$queryRaw<{ n: number }[]>(
      Prisma.raw(`select count(*)::float8 as n from sluice."${name}"`),
    );
    rows += counted?.n ?? 0;
  }
  return rows;
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
