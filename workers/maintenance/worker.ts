import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { maintenanceQueue, queuePrefix } from '../../shared/contracts/queues.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { keepRedisTime } from '../runtime/keep-redis-time.ts';
import type { RedisClock } from '../runtime/redis-clock.ts';
import { noteAnswers, type RedisStanding } from '../runtime/redis-standing.ts';
import type { RoleConfig } from '../runtime/role.ts';
import type { FindingsBoard } from './findings.ts';
import type { MaintenanceMetrics } from './metrics.ts';
import { type RunOptions, type RunResult, runTask } from './run-task.ts';
import { type TaskName, type TaskOutcome, taskNames } from './task.ts';
import type { Tasks } from './tasks.ts';

const troubleLogEveryMs = 10_000;

/** Takes one task at a time from the queue of the fleet, runs it, and says how it ended. */
export function createMaintenanceWorker(deps: {
  config: RoleConfig;
  redis: Redis;
  logger: Logger;
  metrics: MaintenanceMetrics;
  findings: FindingsBoard;
  tasks: Tasks;
  run: RunOptions;
  standing: RedisStanding;
  clock: RedisClock;
}): { worker: Worker; closeLog(): void } {
  const { config, logger, metrics, findings, tasks } = deps;

  const process = async (job: Job, token?: string): Promise<void> => {
    const name = taskNames.find((known) => known === job.name);
    if (name === undefined) throw new UnrecoverableError(`unknown task ${job.name}, scheduled by a newer worker`);
    // It was taken while this worker was told to stop.
    const { outcome, reason } = deps.run.signal.aborted ? interrupted : await run(name);
    metrics.runs.inc({ task: name, outcome });
    logger.debug({ task: name, outcome }, 'task ended');
    if (outcome === 'failed' || outcome === 'refused') throw new UnrecoverableError(reason);
    if (outcome !== 'interrupted') return;
    await job.moveToWait(token);
    throw new WaitingError();
  };

  const run = async (name: TaskName): Promise<Ending> => {
    switch (name) {
      case 'partitions':
        return note(name, await runTask(name, tasks.partitions, deps.run), findings.notePartitions);
      case 'retention':
        return note(name, await runTask(name, tasks.retention, deps.run), findings.noteRetention);
      case 'purge':
        return note(name, await runTask(name, tasks.purge, deps.run), async () => undefined);
      case 'facts':
        return note(name, await runTask(name, tasks.facts, deps.run), async () => undefined);
    }
  };

  const note = async <Report>(
    name: TaskName,
    result: RunResult<Report>,
    noteReport: (report: Report) => Promise<void>,
  ): Promise<Ending> => {
    if ('report' in result) await noteReport(result.report);
    if (result.outcome === 'done') await findings.noteSuccess(name, deps.clock.now());
    const reason = 'reason' in result ? result.reason : `${result.outcome}, see the log of the worker`;
    return { outcome: result.outcome, reason };
  };

  const worker = new Worker(maintenanceQueue, process, {
    connection: deps.redis,
    prefix: queuePrefix(maintenanceQueue, config.namespace),
    concurrency: 1,
    lockDuration: config.worker.lockDurationMs,
    stalledInterval: config.worker.stalledIntervalMs,
    runRetryDelay: 1_000,
    autorun: false,
  });
  const trouble = createThrottledLog<'queue'>(troubleLogEveryMs, (_kind, { count, lastError }) => {
    logger.warn({ count, err: lastError }, 'queue trouble');
  });
  keepRedisTime(worker, deps.clock);
  worker.on('error', (error) => trouble.report('queue', error));
  worker.on('stalled', (jobId) => logger.warn({ jobId }, 'a worker died while running a task; running it again'));
  noteAnswers(worker, deps.standing);
  return { worker, closeLog: trouble.close };
}

interface Ending {
  outcome: TaskOutcome;
  /** for those who look at the job */
  reason: string;
}

const interrupted: Ending = { outcome: 'interrupted', reason: 'asked to stop' };
