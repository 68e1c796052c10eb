import { DelayedError, type Job, WaitingError, type WorkerOptions } from 'bullmq';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { toError } from '../../shared/platform/errors.ts';
import { isRedisError } from '../../shared/platform/redis/redis-errors.ts';
import { keepRedisTime } from '../runtime/keep-redis-time.ts';
import { createRedisStanding, noteAnswers } from '../runtime/redis-standing.ts';
import { FailedJobError, failureOf } from './failed-job-error.ts';
import { createHaltGuard } from './halt-guard.ts';
import { createJobDelays } from './job-delays.ts';
import { reportEvents } from './job-events.ts';
import { createJobProcessor, type ProcessorDeps } from './job-processor.ts';
import { createPoisonJobIsolation, PoisonJobError } from './poison-jobs.ts';
import { RawJobWorker } from './raw-job-worker.ts';

const maxStalledCount = 200;

/**
 * Consumes the queue of one kind of record. When too many records turn out dead, the worker requeues its jobs and takes no
 * more.
 */
export function createRecordWorker(deps: ProcessorDeps) {
  const { definition, config, redis, logger, metrics, tellMetrics, breaker, memory, signal } = deps;
  const { queue } = definition;
  const guard = createHaltGuard(config.worker.deadShare, logger, () => worker.pause(true));
  const delays = createJobDelays(deps);
  const processor = createJobProcessor(deps, delays, guard);
  const poisonJobs = createPoisonJobIsolation({
    counter: delays.starts,
    maxStarts: config.worker.poisonJobMaxStarts,
    onOutage: breaker.onOutage,
  });
  let settledJobs = 0;

  const process = async (job: Job, token?: string): Promise<void> => {
    // Other producers may leave the time out, or write what is none.
    const { processedOn } = job;
    if (processedOn !== undefined && Number.isFinite(job.timestamp))
      tellMetrics(() => metrics.jobWait.observe({ queue }, Math.max(0, processedOn - job.timestamp) / 1_000));
    try {
      await poisonJobs.run({ id: job.id ?? '', stalledCounter: job.stalledCounter }, () => processInTurn(job, token));
    } catch (error) {
      if (error instanceof WaitingError || error instanceof DelayedError) throw error;
      if (error instanceof PoisonJobError) throw new FailedJobError('poison-job', error.message, 0);
      if (isRedisError(error)) return leave(job, error);
      // Another worker shall have the job at once.
      if (signal.aborted) return await delays.requeue(job, token);
      const failure = failureOf(worker.rawDataOf(job), error);
      guard.noteFailed(failure.records);
      throw failure;
    } finally {
      // Before the acknowledgement, which may take long.
      worker.letGo(job);
      settledJobs += 1;
    }
  };

  /** In its turn, which comes within the isolation of poison jobs: there it waits for jobs that have none yet. */
  const processInTurn = async (job: Job, token: string | undefined): Promise<void> => {
    const endTurn = await memory.turns.enter(worker.heldBytesOf(job));
    try {
      // It was waiting for its turn when the worker's time was up.
      if (signal.aborted) return await delays.requeue(job, token);
      await processor.process(job, token, worker.rawDataOf(job));
    } finally {
      endTurn();
    }
  };

  /** Redis refuses what the job needs. BullMQ fails a job that throws; this one is left to whoever finds it stalled. */
  const leave = (job: Job, error: unknown): never => {
    worker.emit('error', toError(error));
    logger.debug({ jobId: job.id }, 'leaving the job until its lock expires');
    throw new WaitingError();
  };

  const options: WorkerOptions = {
    connection: redis,
    prefix: queuePrefix(queue, config.namespace),
    concurrency: config.worker.concurrency,
    lockDuration: config.worker.lockDurationMs,
    stalledInterval: config.worker.stalledIntervalMs,
    // A worker that dies says nothing about most of its jobs, and repeating them changes nothing. Which of them kills its
    // workers is found out in isolation; this is for one that does so before it gets there.
    maxStalledCount,
    runRetryDelay: 1_000,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: config.worker.failedJobsKept },
    autorun: false,
  };
  // By the defaults of producers: of their settings a worker knows nothing, but a larger job counts when one was seen. One
  // character beyond ASCII may make each of a job's characters take two bytes.
  const { producer, requests } = loadConfig({}, ['producer', 'requests']);
  const maxJobBytes = 2 * Math.max(producer.chunk.maxBytes, definition.maxRecordBytes({ producer, requests }));
  const worker = new RawJobWorker(queue, process, options, { memory, maxJobBytes, redis });
  keepRedisTime(worker, deps.clock);
  const standing = createRedisStanding(() => performance.now());
  noteAnswers(worker, standing);
  const trouble = reportEvents(worker, deps);
  return {
    worker,
    /** Ends the logs that tell of many events at a time. Call it when the worker is closed. */
    closeLogs(): void {
      delays.close();
      trouble.close();
    },
    /** why Redis does not do what the worker needs, as far as it refuses; null when it does */
    whyRefused: standing.whyRefused,
    /** whether it has stopped taking jobs because too many records are dead */
    isHalted: () => guard.isHalted,
    lacksDeadLetterBox: processor.lacksDeadLetterBox,
    /** jobs ended so far, however they ended */
    settledJobs: () => settledJobs,
  };
}
