import { DelayedError, type Job, UnrecoverableError, WaitingError, type Worker } from 'bullmq';
import type { Config } from '../../shared/config.ts';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError, explainDatabaseError } from '../../shared/database-errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Redis } from '../../shared/redis.ts';
import { createThrottledLog } from '../../shared/throttled-log.ts';
import type { Batcher } from '../batcher.ts';
import { type DeadLetter, storeDeadLetters } from '../dead-letters.ts';
import { createDeadRatioGuard } from '../dead-ratio-guard.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { RawJobWorker, rawDataOf } from '../raw-job-worker.ts';
import { isWorthWaiting, retryWhileWorthWaiting } from '../retry.ts';
import { executionLogQueue as queue } from './queue.ts';
import { settleChunk } from './settle-chunk.ts';

/** What the worker works with; whoever made it closes it. */
export interface ExecutionLogDeps {
  config: Config;
  database: Database;
  redis: Redis;
  logger: Logger;
  metrics: WorkerMetrics;
  batcher: Batcher;
  /** ends the repeating of statements */
  signal: AbortSignal;
}

const troubleLogEveryMs = 10_000;

/** Says where it is that a worker has stopped taking jobs by itself. */
const haltMessage =
  'too many of the recent records are dead; this worker takes no more jobs. Look at the dead letters, mend the cause, and start it again';

/**
 * Consumes the execution-log queue. A job completes when each of its records is committed, was there already, or lies in
 * the dead letters. A chunk from a newer producer is put off, not failed. When too many records turn out dead, the worker
 * hands its jobs back and takes no more.
 */
export function createExecutionLogWorker(deps: ExecutionLogDeps) {
  const { config, redis, logger, metrics, batcher } = deps;
  const guard = createDeadRatioGuard(config.worker.deadShare);
  let halted = false;

  const process = async (job: Job, token?: string): Promise<void> => {
    if (job.processedOn !== undefined)
      metrics.jobWait.observe({ queue }, Math.max(0, job.processedOn - job.timestamp) / 1_000);
    try {
      const outcome = await settleChunk({ jobId: job.id ?? null, data: job.data, raw: rawDataOf(job) }, batcher);
      if (outcome.kind === 'newer') return await putOff(job, token, outcome.version);
      if (guard.note(outcome.records, outcome.dead.length)) halt();
      if (outcome.dead.length > 0 && halted) return await handBack(job, token);
      if (outcome.dead.length > 0) await bury(outcome.dead);
    } catch (error) {
      if (error instanceof WaitingError || error instanceof DelayedError) throw error;
      const classified = classifyDatabaseError(error);
      if (!isWorthWaiting(classified)) throw new FailedJobError(classified.code, explainDatabaseError(error));
      // Only when this worker stops while the database is away: another one shall have the job at once.
      await handBack(job, token);
    }
  };

  const bury = async (letters: readonly DeadLetter[]): Promise<void> => {
    await retryWhileWorthWaiting(() => storeDeadLetters(deps.database, letters), {
      backoff: config.retry,
      random: Math.random,
      signal: deps.signal,
      onRetry: ({ class: errorClass, code }) => metrics.retries.inc({ queue, class: errorClass, code }),
      onRecovered: () => undefined,
    });
    metrics.records.inc({ queue, outcome: 'dead' }, letters.length);
    for (const { code, signature, jobId } of letters) logger.debug({ jobId, code, signature }, 'record is dead');
  };

  const putOff = async (job: Job, token: string | undefined, version: number): Promise<never> => {
    metrics.jobs.inc({ queue, outcome: 'parked' });
    logger.warn({ jobId: job.id, version }, 'chunk is from a newer producer, putting it off');
    await job.moveToDelayed(Date.now() + config.worker.parkMs, token);
    throw new DelayedError();
  };

  const handBack = async (job: Job, token: string | undefined): Promise<never> => {
    await job.moveToWait(token);
    throw new WaitingError();
  };

  const halt = (): void => {
    if (halted) return;
    halted = true;
    logger.error(haltMessage);
    worker.pause(true).catch((error: unknown) => logger.error({ err: error }, 'worker could not be paused'));
  };

  const worker: Worker = new RawJobWorker(queue, process, {
    connection: redis,
    prefix: queuePrefix(queue, config.namespace),
    concurrency: config.worker.concurrency,
    lockDuration: config.worker.lockDurationMs,
    stalledInterval: config.worker.stalledIntervalMs,
    // A worker that dies says nothing about the job; the batch commits or does not, and a repeat changes nothing.
    maxStalledCount: 1_000_000,
    runRetryDelay: 1_000,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: config.worker.failedJobsKept },
    autorun: false,
  });
  reportEvents(worker, deps);
  return {
    worker,
    /** whether it has stopped taking jobs because too many records are dead */
    isHalted: () => halted,
  };
}

function reportEvents(worker: Worker, { logger, metrics }: Pick<ExecutionLogDeps, 'logger' | 'metrics'>): void {
  const trouble = createThrottledLog<'queue'>(troubleLogEveryMs, (_kind, { count, lastError }) => {
    logger.warn({ count, err: lastError }, 'queue trouble');
  });
  worker.on('completed', () => metrics.jobs.inc({ queue, outcome: 'completed' }));
  worker.on('stalled', (jobId) => {
    metrics.jobs.inc({ queue, outcome: 'stalled' });
    logger.warn({ jobId }, 'job had stalled, taking it up again');
  });
  worker.on('failed', (job, error) => {
    metrics.jobs.inc({ queue, outcome: 'failed' });
    metrics.records.inc({ queue, outcome: 'failed' }, Array.isArray(job?.data?.records) ? job.data.records.length : 0);
    // What the server says may quote a row; that stays with the job.
    const reason = error instanceof FailedJobError ? error.code : error.message;
    logger.error({ jobId: job?.id, reason }, 'job failed, its records stay in the failed set');
  });
  worker.on('error', (error) => trouble.report('queue', error));
}

/** Nothing that is known here kept the records from being stored: most likely a bug. */
class FailedJobError extends UnrecoverableError {
  readonly code: string;

  constructor(code: string, explanation: string) {
    super(`records could not be stored: ${explanation}`);
    this.code = code;
  }
}
