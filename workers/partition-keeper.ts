import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../shared/database.ts';
import { classifyDatabaseError } from '../shared/database-errors.ts';
import type { Logger } from '../shared/logger.ts';
import { lockNotAvailable } from '../shared/partitions.ts';
import { type LookedAt, lookAfterPartitions } from './look-after-partitions.ts';
import { retryWhileWorthWaiting } from './retry.ts';
import type { RoleConfig } from './role.ts';

const everyMs = 3_600_000;

/**
 * Sees to it that the daily partitions are there before records come for them: once before the worker starts, then
 * every hour.
 *
 * The start waits for the partition of today, for as long as somebody reads the table. Other days are tried once and
 * left to the next look: each try for a lock holds inserts up.
 *
 * @param deps.now ms since 1970. @default Date.now
 * @returns `ready` resolves when the first look is done; rejects when the table is not there
 */
export function startPartitionKeeper(deps: {
  config: RoleConfig;
  database: Database;
  logger: Logger;
  registry: Registry;
  signal: AbortSignal;
  now?: () => number;
}) {
  const { config, logger, now = Date.now } = deps;
  const blockedDays = new Gauge({
    name: 'sluice_partitions_blocked',
    help: 'Days whose own partition cannot be made because the DEFAULT partition has rows of them',
    registers: [deps.registry],
  });

  /** Gives the number of days that are blocked. */
  const look = (which: LookedAt, { insists }: { insists: boolean }): Promise<number> =>
    retryWhileWorthWaiting(async () => (await lookAfterPartitions(deps, now(), which)).blocked.length, {
      backoff: config.retry,
      random: Math.random,
      signal: deps.signal,
      // A table that is missing is told at once: the worker was started before the migrations.
      isWorthWaiting: (error) => error.class === 'transient' && (insists || error.code !== lockNotAvailable),
      onRecovered: () => logger.info('database answers again'),
      onRetry: ({ code }, attempt) => {
        if (attempt === 0) logger.warn({ code }, 'database is in trouble, partitions have to wait');
      },
    });

  const lookAtStart = async (): Promise<void> => {
    const blockedToday = await look('today', { insists: true });
    blockedDays.set(blockedToday);
    try {
      blockedDays.set(blockedToday + (await look('all but today', { insists: false })));
    } catch (error) {
      if (classifyDatabaseError(error).code !== lockNotAvailable) throw error;
      logger.warn('the table is in use: partitions of other days than today wait for the next look');
    }
  };

  const lookAgain = async (): Promise<void> => {
    try {
      blockedDays.set(await look('all', { insists: false }));
    } catch (error) {
      logger.error({ err: error }, 'partitions could not be looked after');
    }
  };

  const timer = setInterval(() => void lookAgain(), everyMs);
  timer.unref();
  return {
    ready: lookAtStart(),
    async stop(): Promise<void> {
      clearInterval(timer);
    },
  };
}
