import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Config } from '../../shared/config.ts';
import { parseChunk } from '../../shared/contracts/chunk.ts';
import { findRecordProblem } from '../../shared/contracts/execution.ts';
import { type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError, explainDatabaseError } from '../../shared/database-errors.ts';
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Redis } from '../../shared/redis.ts';
import { createThrottledLog } from '../../shared/throttled-log.ts';
import type { BatchEntry, Batcher } from '../batcher.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { isWorthWaiting, retryWhileWorthWaiting } from '../retry.ts';
import { settleEntries } from '../settle.ts';
import { insertExecutions } from './store.ts';

export const executionLogQueue: QueueName = 'execution-log';

/** What the worker works with; `main.ts` makes it and closes it. */
export interface ExecutionLogDeps {
  config: Config;
  database: Database;
  redis: Redis;
  logger: Logger;
  metrics: WorkerMetrics;
  batcher: Batcher;
}

const refusalLogEveryMs = 60_000;
const troubleLogEveryMs = 10_000;

/**
 * Writes one batch: one statement, repeated in place while the database is in trouble or refuses everything, halved when
 * a row is refused.
 * Aborting `signal` ends the repeating, and the jobs go back to the queue by themselves.
 */
export function createBatchWriter(
  deps: Pick<ExecutionLogDeps, 'config' | 'database' | 'logger' | 'metrics'> & { signal: AbortSignal },
) {
  const { database, logger, metrics, config } = deps;
  const queue = executionLogQueue;

  const refusals = createThrottledLog<'all'>(refusalLogEveryMs, (_kind, { lastError }) => {
    logger.error(
      { reason: explainDatabaseError(lastError) },
      'database refuses every row; all jobs wait until this is mended',
    );
  });

  const insert = async (entries: readonly BatchEntry[]): Promise<void> => {
    const records = entries.reduce((sum, entry) => sum + entry.records, 0);
    const json = `[${entries.map((entry) => entry.json.slice(1, -1)).join(',')}]`;
    const stopTimer = metrics.statement.startTimer({ queue });
    metrics.batchRecords.observe({ queue }, records);
    let stored: number;
    try {
      stored = await insertExecutions(database, json);
    } catch (error) {
      stopTimer({ result: classifyDatabaseError(error).class });
      throw error;
    }
    stopTimer({ result: 'ok' });
    metrics.records.inc({ queue, outcome: 'stored' }, stored);
    metrics.records.inc({ queue, outcome: 'duplicate' }, records - stored);
  };

  const insertWithRetry = (entries: readonly BatchEntry[]): Promise<void> =>
    retryWhileWorthWaiting(() => insert(entries), {
      backoff: config.retry,
      random: Math.random,
      signal: deps.signal,
      onRetry: ({ class: errorClass, code }, attempt, thrown) => {
        metrics.retries.inc({ queue, class: errorClass, code });
        if (errorClass === 'systemic') refusals.report('all', toError(thrown));
        else if (attempt === 0)
          logger.warn({ code }, 'database is in trouble, repeating the statement until it answers');
      },
      onRecovered: (attempts) => logger.info({ attempts }, 'database answers again'),
    });

  return (entries: readonly BatchEntry[]) => settleEntries(entries, insertWithRetry);
}

/**
 * Consumes the execution-log queue. A job completes when all its records are committed or were there already. It fails,
 * and stays in the queue's failed set, when its chunk is malformed or the database refuses a record; the reason names
 * the field or the SQLSTATE. A chunk from a newer producer is put off, not failed.
 */
export function createExecutionLogWorker(deps: Omit<ExecutionLogDeps, 'database'>): Worker {
  const { config, redis, logger, metrics, batcher } = deps;
  const queue = executionLogQueue;

  const process = async (job: Job, token?: string): Promise<void> => {
    if (job.processedOn !== undefined)
      metrics.jobWait.observe({ queue }, Math.max(0, job.processedOn - job.timestamp) / 1_000);
    const parsed = parseChunk(job.data);
    if (parsed.kind === 'newer') {
      metrics.jobs.inc({ queue, outcome: 'parked' });
      logger.warn({ jobId: job.id, version: parsed.version }, 'chunk is from a newer producer, putting it off');
      await job.moveToDelayed(Date.now() + config.worker.parkMs, token);
      throw new DelayedError();
    }
    if (parsed.kind === 'malformed') throw new UnrecoverableError(`malformed chunk: ${parsed.reason}`);
    const { records } = parsed.chunk;
    const problem = findRecordProblem(records);
    if (problem !== null) throw new UnrecoverableError(`malformed record: records${problem}`);
    try {
      await batcher.add({ json: JSON.stringify(records), records: records.length });
    } catch (error) {
      const classified = classifyDatabaseError(error);
      if (!isWorthWaiting(classified)) throw new RefusedError(classified.code, explainDatabaseError(error));
      // Only when this worker stops while the database is away: another one shall have the job at once.
      await job.moveToWait(token);
      throw new WaitingError();
    }
  };

  const worker = new Worker(queue, process, {
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
  worker.on('completed', () => metrics.jobs.inc({ queue, outcome: 'completed' }));
  worker.on('stalled', (jobId) => {
    metrics.jobs.inc({ queue, outcome: 'stalled' });
    logger.warn({ jobId }, 'job had stalled, taking it up again');
  });
  worker.on('failed', (job, error) => {
    metrics.jobs.inc({ queue, outcome: 'failed' });
    metrics.records.inc({ queue, outcome: 'failed' }, Array.isArray(job?.data?.records) ? job.data.records.length : 0);
    // What the server says of a refused row may quote it; that stays with the job.
    const reason = error instanceof RefusedError ? error.code : error.message;
    logger.error({ jobId: job?.id, reason }, 'job failed, its records stay in the failed set');
  });
  const trouble = createThrottledLog<'queue'>(troubleLogEveryMs, (_kind, { count, lastError }) => {
    logger.warn({ count, err: lastError }, 'queue trouble');
  });
  worker.on('error', (error) => trouble.report('queue', error));
  return worker;
}

/** The database cannot accept a record of this job. */
class RefusedError extends UnrecoverableError {
  /** SQLSTATE */
  readonly code: string;

  constructor(code: string, explanation: string) {
    super(`database refused the records: ${explanation}`);
    this.code = code;
  }
}
