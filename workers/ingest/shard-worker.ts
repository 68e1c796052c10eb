import { DelayedError, type Job, WaitingError, type WorkerOptions } from 'bullmq';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import { toError } from '../../shared/platform/errors.ts';
import { queueKeys } from '../../shared/platform/redis/read-queue.ts';
import { isRedisError } from '../../shared/platform/redis/redis-errors.ts';
import type { ByteSemaphore } from '../runtime/byte-semaphore.ts';
import type { CircuitBreaker } from '../runtime/circuit-breaker.ts';
import { createHoldings } from '../runtime/holdings.ts';
import { keepRedisTime } from '../runtime/keep-redis-time.ts';
import { createRedisStanding, noteAnswers } from '../runtime/redis-standing.ts';
import type { Slots } from '../runtime/slots.ts';
import { BullmqWorker } from './bullmq-worker.ts';
import { createCompletedSample, onComplete } from './completed-sample.ts';
import { FailedJobError, failureOf } from './failed-job-error.ts';
import { createJobDelays } from './job-delays.ts';
import { reportEvents } from './job-events.ts';
import { createJobProcessor, type ProcessorDeps } from './job-processor.ts';
import { createPoisonJobIsolation, PoisonJobError } from './poison-jobs.ts';

const maxStalledCount = 200;

/** What the worker of a shard works with. It shares all but its shard, clock and logger with those of the other shards. */
export interface ShardWorkerDeps extends ProcessorDeps {
  breaker: CircuitBreaker;
  slots: Slots;
  /** of jobs that are run in isolation, one at a time */
  isolated: ByteSemaphore;
  /** that one job should take at most in memory */
  maxJobBytes: number;
  onSettled(): void;
}

/** The worker of one shard. */
export type ShardWorker = ReturnType<typeof createShardWorker>;

/** Consumes one shard of the queue of one kind of record. */
export function createShardWorker(deps: ShardWorkerDeps) {
  const { definition, shard, config, redis, logger, metrics, tellMetrics, breaker, memory, slots, guard, signal } =
    deps;
  const { queue } = definition;
  const holdings = createHoldings();
  const sample = createCompletedSample({
    redis,
    keyOf: queueKeys(shard, config.namespace).of,
    now: () => performance.now(),
  });
  const delays = createJobDelays(deps);
  const processor = createJobProcessor(deps, delays);
  const poisonJobs = createPoisonJobIsolation({
    counter: delays.starts,
    maxStarts: config.worker.poisonJobMaxStarts,
    onOutage: breaker.onOutage,
    enterTurn: async () => holdings.add(await deps.isolated.enter(1)),
  });

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
      if (isRedisError(error)) return leaveAsStalled(job, error);
      // Another worker shall have the job at once.
      if (signal.aborted) return await delays.requeue(job, token);
      const failure = failureOf(worker.rawDataOf(job), error);
      guard.noteFailed(failure.records);
      throw failure;
    } finally {
      // Before the acknowledgement, which may take long.
      worker.letGo(job);
      deps.onSettled();
    }
  };

  /** In its turn, which comes within the isolation of poison jobs: there it waits for jobs that have none yet. */
  const processInTurn = async (job: Job, token: string | undefined): Promise<void> => {
    const endTurn = holdings.add(await memory.turns.enter(worker.heldBytesOf(job)));
    try {
      // It was waiting for its turn when the worker's time was up.
      if (signal.aborted) return await delays.requeue(job, token);
      const raw = worker.rawDataOf(job);
      sample.decide(job, (await processor.process(job, token, raw)) ? raw : null);
    } finally {
      endTurn();
    }
  };

  /** Redis failed while the job was processed. BullMQ would fail a job that throws, so it is left to whoever finds it stalled. */
  const leaveAsStalled = (job: Job, error: unknown): never => {
    worker.emit('error', toError(error));
    logger.debug({ jobId: job.id }, 'leaving the job until its lock expires');
    throw new WaitingError();
  };

  const options: WorkerOptions = {
    connection: redis,
    prefix: queuePrefix(shard, config.namespace),
    concurrency: config.worker.concurrency,
    lockDuration: config.worker.lockDurationMs,
    stalledInterval: config.worker.stalledIntervalMs,
    // When a worker dies, most of its jobs are innocent and safe to repeat; isolation finds the one that kills. This high limit only
    // catches a job that kills its worker before isolation begins.
    maxStalledCount,
    runRetryDelay: 1_000,
    ...onComplete,
    removeOnFail: { count: config.worker.failedJobsKept },
    autorun: false,
  };
  const worker = new BullmqWorker(shard, process, options, {
    ...{ memory, redis, slots, holdings },
    maxJobBytes: deps.maxJobBytes,
  });
  keepRedisTime(worker, deps.clock);
  const standing = createRedisStanding(() => performance.now());
  noteAnswers(worker, standing);
  const trouble = reportEvents(worker, deps);
  worker.on('completed', (job) => sample.completed(job));
  return {
    clock: deps.clock,
    run(): void {
      sample.start();
      worker.run().catch((error: unknown) => logger.fatal({ err: error }, 'worker loop ended'));
    },
    /** Takes no more jobs, and goes on with those that it has. */
    pause: () => worker.pause(true),
    async close(): Promise<void> {
      await worker.close();
      await sample.close();
    },
    /** Ends the logs that tell of many events at a time. Call it when the worker is closed. */
    closeLogs(): void {
      delays.close();
      trouble.close();
    },
    /** why Redis does not do what the worker needs, as far as it refuses; null when it does */
    whyRefused: standing.whyRefused,
    /** Lets the other shards have what this one holds of slots, memory and turns. Its jobs go on when its server answers. */
    giveBackAll: holdings.giveBackAll,
  };
}
