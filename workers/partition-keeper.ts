import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../shared/config.ts';
import type { Database } from '../shared/database.ts';
import type { Logger } from '../shared/logger.ts';
import { ensurePartitions, planPartitions } from '../shared/partitions.ts';
import { retryWhileWorthWaiting } from './retry.ts';

const table = 'strategy_execution_log';
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
  const { config, database, logger } = deps;
  const blockedDays = new Gauge({
    name: 'sluice_partitions_blocked',
    help: 'Days whose own partition cannot be made because the DEFAULT partition has rows of them',
    registers: [deps.registry],
  });

  const look = (): Promise<void> =>
    retryWhileWorthWaiting(
      async () => {
        const plan = planPartitions(table, Date.now(), config.database.partitionDaysAhead);
        const { created, blocked } = await ensurePartitions(database, table, plan);
        blockedDays.set(blocked.length);
        if (created.length > 0) logger.info({ created }, 'partitions created');
        if (blocked.length > 0)
          logger.error(
            { blocked },
            'the DEFAULT partition has rows of these days; move them, then their partitions can be made',
          );
      },
      {
        backoff: config.retry,
        random: Math.random,
        signal: deps.signal,
        // A table that is missing is told at once: the worker was started before the migrations.
        isWorthWaiting: (error) => error.class === 'transient',
        onRecovered: () => logger.info('database answers again'),
        onRetry: ({ code }, attempt) => {
          if (attempt === 0) logger.warn({ code }, 'database is in trouble, partitions have to wait');
        },
      },
    );

  const timer = setInterval(() => {
    look().catch((error: unknown) => logger.error({ err: error }, 'partitions could not be looked after'));
  }, everyMs);
  timer.unref();
  return {
    ready: look(),
    async stop(): Promise<void> {
      clearInterval(timer);
    },
  };
}
