import { maintenanceQueue, queuePrefix } from '../../shared/contracts/queues.ts';
import { endsWithin } from '../../shared/platform/lifecycle.ts';
import { createRedisClock } from '../runtime/redis-clock.ts';
import { repeatWhileRefused } from '../runtime/redis-refusals.ts';
import { createRedisStanding } from '../runtime/redis-standing.ts';
import { retryWhileWorthWaiting } from '../runtime/retry.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { createMetricsTeller } from '../runtime/tell-metrics.ts';
import { createFindings } from './findings.ts';
import { createMaintenanceMetrics } from './metrics.ts';
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
  const metrics = createMaintenanceMetrics(registry, { findings: findings.read, isOutage: () => isOutage });
  // What is told of is committed.
  const tellMetrics = createMetricsTeller(logger);
  const tasks = createTasks({
    config,
    database,
    logger,
    now: Date.now,
    onDropped: () => tellMetrics(() => metrics.dropped.inc()),
    onArchived: (result) => tellMetrics(() => metrics.archived.inc({ result })),
    onMoved: (rows) => tellMetrics(() => metrics.moved.inc(rows)),
    onPurged: (table, rows) => tellMetrics(() => metrics.purged.inc({ table }, rows)),
    onEarly: (table, rows) => tellMetrics(() => metrics.deletedEarly.inc({ table }, rows)),
  });
  const onOutage = (begins: boolean): void => {
    isOutage = begins;
  };
  const run = { retry: config.retry, logger, signal, waitsForDatabase: true, onOutage };
  const standing = createRedisStanding(() => performance.now());
  const clock = createRedisClock(redis, key);
  const worker = createMaintenanceWorker({ config, redis, logger, metrics, findings, tasks, run, standing, clock });
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
        random: Math.random,
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

  return {
    heldRecords: 0,
    notReadyReason: standing.whyRefused,
    livenessFailure: () => null,
    async start(): Promise<void> {
      await clock.start(signal);
      await findTables();
      if (signal.aborted) return;
      // Not the end of the process, in which there may be other roles.
      await repeatWhileRefused(setTimetable, { forMs: Number.POSITIVE_INFINITY, signal });
      if (signal.aborted) return;
      timer = setInterval(() => {
        setTimetable().catch((error: unknown) => logger.warn({ err: error }, 'tasks could not be scheduled'));
      }, everyMs);
      timer.unref();
      logger.info({ queue: maintenanceQueue, everyMs }, 'taking tasks');
      worker.run().catch((error: unknown) => logger.fatal({ err: error }, 'worker loop ended'));
    },
    /** A task ends at the next place where it can, such as between two batches, and goes back to the queue. */
    async stop(timeoutMs: number): Promise<boolean> {
      stopping.abort();
      clearInterval(timer);
      const inTime = await endsWithin(worker.close(), timeoutMs);
      await endsWithin(schedule.close(), requeueMs);
      return inTime;
    },
  };
}
