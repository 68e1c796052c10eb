import { maintenanceQueue, queuePrefix } from '../../shared/contracts/queues.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import { oneLife } from '../../shared/platform/lifecycle.ts';
import { executionLogTable } from '../../shared/platform/postgres/partitions/partitions.ts';
import { retryWhileWorthWaiting } from '../runtime/database-retry.ts';
import { createRedisClock } from '../runtime/redis-clock.ts';
import { retryWhileRefused } from '../runtime/redis-retry.ts';
import { createRedisStanding } from '../runtime/redis-standing.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { createMetricsTeller } from '../runtime/tell-metrics.ts';
import { createFindings } from './findings.ts';
import { createMaintenanceMetrics } from './metrics.ts';
import { purgeRules } from './row-retention.ts';
import { createSchedule } from './schedule.ts';
import { createTasks } from './tasks.ts';
import { createMaintenanceWorker } from './worker.ts';

/** How often each task is run in the whole fleet. */
const hourMs = 3_600_000;

/** Time for the calls to Redis that hand a task back. */
const requeueMs = 1_000;

/**
 * The role put together: schedulers → queue → worker → task. Any number may run, each task is run once a period in the
 * whole fleet.
 *
 * @param everyMs the period, in ms; tests shorten it
 */
export function createMaintenance(
  { config, database, redis, logger, registry }: Omit<RoleDeps<'retention'>, 'memory'>,
  { everyMs = hourMs }: { everyMs?: number } = {},
): Role {
  const stopping = new AbortController();
  const { signal } = stopping;
  let isOutage = false;
  const key = `${queuePrefix(maintenanceQueue, config.namespace)}:${maintenanceQueue}:sluice:findings`;
  const findings = createFindings({ redis, key });
  const metrics = createMaintenanceMetrics(registry, {
    tables: [executionLogTable, ...purgeRules(config, null, null).map(({ table }) => table)],
    findings: findings.read,
    isOutage: () => isOutage,
  });
  // What is told of is committed.
  const teller = createMetricsTeller(logger);
  const { tellMetrics } = teller;
  const tasks = createTasks({
    config,
    database,
    logger,
    now: Date.now,
    onDropped: () => tellMetrics(() => metrics.dropped.inc()),
    onArchived: (result) => tellMetrics(() => metrics.archived.inc({ result })),
    onMoved: (rows) => tellMetrics(() => metrics.moved.inc(rows)),
    onPurged: (table, rows) => tellMetrics(() => metrics.purged.inc({ table }, rows)),
    onFactsRead: (rows) => tellMetrics(() => metrics.factsRead.inc(rows)),
    onEarly: (table, rows) => tellMetrics(() => metrics.deletedEarly.inc({ table }, rows)),
  });
  const onOutage = (begins: boolean): void => {
    isOutage = begins;
  };
  const run = { retry: config.retry, logger, signal, waitsForDatabase: true, onOutage };
  const standing = createRedisStanding(() => performance.now());
  const clock = createRedisClock(redis, key);
  const deps = { config, redis, logger, metrics, findings, tasks, run, standing, clock };
  const { worker, closeLog } = createMaintenanceWorker(deps);
  const schedule = createSchedule({ redis, namespace: config.namespace, everyMs, clock });
  let timer: NodeJS.Timeout | undefined;

  /** A worker that was started before the migrations says so at once; while the database is away, it waits. */
  const findTables = (): Promise<void> =>
    retryWhileWorthWaiting(
      async () => {
        await database.$queryRaw`select from sluice.strategy_execution_log, sluice.dead_letter limit 0`;
      },
      {
        backoff: config.retry,
        signal,
        isWorthWaiting: (error) => error.class === 'transient',
        onRetry({ code }, attempt) {
          isOutage = true;
          if (attempt === 0) logger.warn({ code }, 'database is in trouble; maintenance waits');
        },
        onRecovered: () => logger.info('database answers again'),
      },
    ).finally(() => onOutage(false));

  const setTimetable = async (): Promise<void> => {
    const need = 'to set up its schedule';
    await schedule.ensure().then(
      () => standing.note(need, null),
      (error: unknown) => {
        standing.note(need, error);
        throw error;
      },
    );
  };

  const { start, stop } = oneLife({
    async begin(): Promise<void> {
      await clock.start(signal);
      await findTables();
      if (signal.aborted) return;
      // Not the end of the process, in which there may be other roles.
      await retryWhileRefused(setTimetable, { forMs: Number.POSITIVE_INFINITY, signal });
      if (signal.aborted) return;
      timer = setInterval(() => {
        setTimetable().catch((error: unknown) => logger.warn({ err: error }, 'tasks could not be scheduled'));
      }, everyMs);
      timer.unref();
      logger.info({ queue: maintenanceQueue, everyMs }, 'taking tasks');
      worker.run().catch((error: unknown) => logger.fatal({ err: error }, 'worker loop ended'));
    },
    /** A task ends at the next place where it can, such as between two batches, and goes back to the queue. */
    async end(timeoutMs: number): Promise<boolean> {
      stopping.abort();
      clearInterval(timer);
      const inTime = await endsWithin(worker.close(), timeoutMs);
      await endsWithin(schedule.close(), requeueMs);
      for (const close of [closeLog, teller.close]) close();
      return inTime;
    },
  });

  return { start, stop, heldRecords: 0, notReadyReason: standing.whyRefused, livenessFailure: () => null };
}
