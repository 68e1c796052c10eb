import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../../shared/platform/config/config.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import { readDatabaseClock } from '../../shared/platform/postgres/database-clock.ts';
import { readPartitions } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { executionLogTable, type PostponedWhy } from '../../shared/platform/postgres/partitions/partitions.ts';
import { retryWhileWorthWaiting } from '../runtime/database-retry.ts';
import { blockedDaysMetric } from './blocked-days.ts';
import { ensureLedgerPartitions } from './ensure-ledger-partitions.ts';
import { type EnsureDeps, ensureToday, ensureUpcomingPartitions } from './ensure-upcoming-partitions.ts';

const everyMs = 3_600_000;
/** A day that waits for a lock is tried for again sooner than in an hour, each time twice as late. */
const soonMs = 60_000;

/** How long a start waits for the partition of today when somebody uses the table, and rows have another place to go. */
const patienceMs = 10_000;

/** A try that is older says nothing about what is waited for now. */
const freshMs = 30_000;

/** A look has no step that takes longer, but for reading, which is broken off. */
const stopWithinMs = 3_000;

/**
 * Sees to it that the daily partitions are there before records come for them: before the worker starts, then about every
 * hour. Days are the database's: a worker whose clock is wrong would make the wrong ones.
 *
 * A start waits for the partition of today only, and where there is a DEFAULT partition for ten seconds at most: then
 * records go there, and the keeper tries on beside the work.
 *
 * @param deps.now ms since 1970. @default the database's clock
 * @param deps.patienceMs @default 10000
 * @param deps.soonMs about how long after a look that met a lock the next one comes. @default 60000
 * @returns `ready` resolves when the worker may start; rejects when the table is not there. `whyWaiting` says what is in
 *   the way of that, as of the last try
 */
export function startPartitionKeeper(
  deps: EnsureDeps & {
    config: Pick<Config, 'retry'>;
    registry: Registry;
    now?: () => number;
    patienceMs?: number;
    soonMs?: number;
  },
) {
  const { config, database, logger, signal } = deps;
  const stopping = new AbortController();
  const look: EnsureDeps = { ...deps, signal: AbortSignal.any([signal, stopping.signal]) };
  const blockedDays = new Gauge({ ...blockedDaysMetric, registers: [deps.registry] });
  let waiting: { why: string; sinceMs: number } | null = null;

  /** Waits while the database is away. A table that is missing is told at once: the worker was started before the migrations. */
  const whenAnswered = <T>(work: (nowMs: number) => Promise<T>): Promise<T> =>
    retryWhileWorthWaiting(async () => work(deps.now?.() ?? (await readDatabaseClock(database))), {
      backoff: config.retry,
      signal: look.signal,
      isWorthWaiting: (error) => error.class === 'transient',
      onRecovered: () => logger.info('database answers again'),
      onRetry: ({ code }, attempt) => {
        waiting = { why: `today's partition: the database is in trouble (${code})`, sinceMs: performance.now() };
        if (attempt === 0) logger.warn({ code }, 'database is in trouble; partitions wait');
      },
    });

  /** @returns whether there is one; where there is none, records have another place */
  const waitForToday = async (): Promise<boolean> => {
    const sinceMs = performance.now();
    while (!look.signal.aborted) {
      const { blocked, postponed, mayGoOn } = await whenAnswered(async (nowMs) => {
        const report = await ensureToday(look, nowMs);
        return { ...report, mayGoOn: report.postponed.length > 0 && (await hasDefault(look)) };
      });
      blockedDays.set(blocked.length);
      const [today] = postponed;
      if (today === undefined) return true;
      waiting = { why: `today's partition ${today.name}: ${today.why}`, sinceMs: performance.now() };
      const isPatient = today.why === 'in use' && performance.now() - sinceMs < (deps.patienceMs ?? patienceMs);
      if (mayGoOn && !isPatient) {
        logger.error({ partition: today.name, why: today.why }, 'today’s records go to the DEFAULT partition for now');
        return false;
      }
      await pause(500 + Math.random() * 1_000);
    }
    return false;
  };

  const pause = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal: look.signal, ref: false }).catch(() => undefined);

  const lookAround = async (isQuick: boolean): Promise<'done' | PostponedWhy> => {
    try {
      const { blocked, postponed } = await whenAnswered(async (nowMs) => {
        await ensureLedgerPartitions(look, nowMs);
        return ensureUpcomingPartitions(look, nowMs, { isQuick });
      });
      blockedDays.set(blocked.length);
      return postponed[0]?.why ?? 'done';
    } catch (error) {
      if (!look.signal.aborted) logger.error({ err: error }, 'partitions could not be checked');
      return 'done';
    }
  };

  const keepLooking = async (isAllThere: boolean): Promise<void> => {
    const soonestMs = deps.soonMs ?? soonMs;
    let inUseMs = soonestMs;
    for (let inMs = isAllThere ? everyMs : soonestMs / 10; ; ) {
      // A fleet that was started together does not look together.
      await pause(inMs * (0.5 + Math.random()));
      if (look.signal.aborted) return;
      const isInUse = (await lookAround(false)) === 'in use';
      inMs = isInUse ? inUseMs : everyMs;
      // Each try has whoever reads the table wait a little behind it.
      inUseMs = isInUse ? Math.min(inUseMs * 2, everyMs) : soonestMs;
    }
  };

  let looking: Promise<void> = Promise.resolve();
  const lookAtStart = async (): Promise<void> => {
    const hasToday = await waitForToday();
    waiting = null;
    if (look.signal.aborted) return;
    looking = keepLooking(hasToday && (await lookAround(true)) === 'done');
  };

  const ready = lookAtStart();
  return {
    ready,
    whyWaiting: (): string | null =>
      waiting !== null && performance.now() - waiting.sinceMs < freshMs ? waiting.why : null,
    async stop(): Promise<void> {
      stopping.abort();
      const ended = Promise.allSettled([ready]).then(() => looking);
      await endsWithin(ended, stopWithinMs);
    },
  };
}

async function hasDefault({ database }: EnsureDeps): Promise<boolean> {
  const { partitions } = await readPartitions(database, executionLogTable);
  return partitions.some(({ bounds }) => bounds.kind === 'default');
}
