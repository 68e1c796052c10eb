import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../shared/config.ts';
import type { Database } from '../shared/database.ts';
import type { Logger } from '../shared/logger.ts';
import { lockNotAvailable } from '../shared/partitions.ts';
import { lookAfterPartitions } from './look-after-partitions.ts';
import { retryWhileWorthWaiting } from './retry.ts';

const everyMs = 3_600_000;

/**
 * Sees to it that the daily partitions are there before records come for them: once before the worker starts, then
 * every hour.
 *
 * @returns `ready` resolves when the first look is done; rejects when the table is not there
 */
export function startPartitionKeeper(deps: {
  config: Config;
  database: Database;
  logger: Logger;
  registry: Registry;
  signal: AbortSignal;
}) {
  const { config, logger } = deps;
  const blockedDays = new Gauge({
    name: 'sluice_partitions_blocked',
    help: 'Days whose own partition cannot be made because the DEFAULT partition has rows of them',
    registers: [deps.registry],
  });

  const look = (isFirst: boolean): Promise<void> =>
    retryWhileWorthWaiting(
      async () => {
        const { blocked } = await lookAfterPartitions(deps, Date.now());
        blockedDays.set(blocked.length);
      },
      {
        backoff: config.retry,
        random: Math.random,
        signal: deps.signal,
        // A table that is missing is told at once: the worker was started before the migrations.
        // A lock is insisted on only at the start, when the partition of today may be lacking: each try holds inserts up.
        isWorthWaiting: (error) => error.class === 'transient' && (isFirst || error.code !== lockNotAvailable),
        onRecovered: () => logger.info('database answers again'),
        onRetry: ({ code }, attempt) => {
          if (attempt === 0) logger.warn({ code }, 'database is in trouble, partitions have to wait');
        },
      },
    );

  const timer = setInterval(() => {
    look(false).catch((error: unknown) => logger.error({ err: error }, 'partitions could not be looked after'));
  }, everyMs);
  timer.unref();
  return {
    ready: look(true),
    async stop(): Promise<void> {
      clearInterval(timer);
    },
  };
}
