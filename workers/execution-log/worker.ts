import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Config } from '../../shared/config.ts';
import { parseChunk } from '../../shared/contracts/chunk.ts';
import { findRecordProblem } from '../../shared/contracts/execution.ts';
import { type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError, explainDatabaseError } from '../../shared/database-errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Redis } from '../../shared/redis.ts';
import type { BatchEntry, Batcher } from '../batcher.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { retryTransient } from '../retry.ts';
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

/**
 * Writes one batch: one statement, repeated in place while the database is in trouble, halved when a row is refused.
 * Aborting `signal` ends the repeating, and the jobs go back to the queue by themselves.
 */
export function createBatchWriter(
  deps: Pick<ExecutionLogDeps, 'config' | 'database' | 'logger' | 'metrics'> & { signal: AbortSignal },
) {
  const { database, logger, metrics, config } = deps;
  const queue = executionLogQueue;

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
    retryTransient(() => insert(entries), {
      backoff: config.retry,
      random: Math.random,
      signal: deps.signal,
      onRetry: ({ class: errorClass, code }, attempt) => {
        metrics.retries.inc({ queue, class: errorClass, code });
        if (attempt === 0) logger.warn({ code }, 'database is in trouble, repeating the statement until it answers');
      },
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
      if (classifyDatabaseError(error).class !== 'transient')
        throw new UnrecoverableError(`database refused the records: ${explainDatabaseError(error)}`);
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
    logger.error({ jobId: job?.id, reason: error.message }, 'job failed, its records stay in the failed set');
  });
  worker.on('error', (error) => logger.warn({ err: error }, 'queue trouble'));
  return worker;
}
