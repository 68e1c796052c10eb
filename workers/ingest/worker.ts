import { DelayedError, type Job, UnrecoverableError, WaitingError, type Worker, type WorkerOptions } from 'bullmq';
import type { DeadLetter } from '../../dead-letters/dead-letter.ts';
import { markStored, storeDeadLetters } from '../../dead-letters/store.ts';
import { parseChunk } from '../../shared/contracts/parse-chunk.ts';
import { type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import { replayedDeadLetterId } from '../../shared/contracts/replay.ts';
import { backoffMs } from '../../shared/platform/backoff.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { toError } from '../../shared/platform/errors.ts';
import { messageOf } from '../../shared/platform/logging/logged-error.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { classifyDatabaseError, explainDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { CircuitBreaker } from '../runtime/circuit-breaker.ts';
import { keepRedisTime } from '../runtime/keep-redis-time.ts';
import { heldBytes, type MemoryBudget } from '../runtime/memory-budget.ts';
import type { RedisClock } from '../runtime/redis-clock.ts';
import { isRedisError, repeatWhileRefused } from '../runtime/redis-refusals.ts';
import { createRedisStanding, noteAnswers } from '../runtime/redis-standing.ts';
import type { RoleConfig } from '../runtime/role.ts';
import type { TellMetrics } from '../runtime/tell-metrics.ts';
import type { Batcher } from './batcher.ts';
import { createDeadLetterBox, DeadLetterBoxShutError } from './dead-letter-box.ts';
import { createDeadRatioGuard } from './dead-ratio-guard.ts';
import { createJobCounter } from './job-counter.ts';
import type { WorkerMetrics } from './metrics.ts';
import { createPoisonJobIsolation, PoisonJobError } from './poison-jobs.ts';
import { processChunk } from './process-chunk.ts';
import type { QueueDefinition } from './queue-definition.ts';
import { RawJobWorker } from './raw-job-worker.ts';

/** What the worker works with; whoever made it closes it. */
export interface RecordWorkerDeps {
  definition: QueueDefinition;
  config: RoleConfig;
  database: Database;
  redis: Redis;
  logger: Logger;
  metrics: WorkerMetrics;
  tellMetrics: TellMetrics;
  batcher: Batcher;
  breaker: CircuitBreaker;
  clock: RedisClock;
  memory: MemoryBudget;
  /** aborted when the worker's time to finish is up */
  signal: AbortSignal;
}

const troubleLogEveryMs = 10_000;

/** Of a job's own hash: how often it was delayed for the sake of its dead letters. */
const deadLettersField = 'sluice:letters';
const maxStalledCount = 200;

const delayMessages = {
  newer_contract: 'chunks were written by a newer producer; delaying them',
  retry_later:
    'records could not be written now because rows are locked, statements take too long or space is short; delaying their jobs',
  dead_letters:
    'dead letters could not be written now; their jobs are delayed, and the other records of those jobs are stored',
};

/** Says where it is that a worker has stopped taking jobs by itself. */
const haltMessages = {
  dead: 'too many of the recent records are dead; this worker takes no more jobs. Check the dead letters, fix the cause, and restart the worker',
  failed:
    'too many of the recent jobs failed; this worker takes no more jobs. Check the failed jobs, fix the cause, and restart the worker',
};

/** How long dead letters are not written after one could not be. */
const deadLetterBoxShutMs = 5_000;

/**
 * Consumes the queue of one kind of record. A job completes when each of its records is committed, was there already, or lies in
 * the dead letters. A chunk from a newer producer is delayed, not failed. When too many records turn out dead, the worker
 * requeues its jobs and takes no more.
 */
export function createRecordWorker(deps: RecordWorkerDeps) {
  const { definition, config, redis, logger, metrics, tellMetrics, batcher, breaker, memory } = deps;
  const { queue } = definition;
  const guard = createDeadRatioGuard(config.worker.deadShare);
  // The failed set is bounded: what fails every job would delete a day of them.
  const failures = createDeadRatioGuard(config.worker.deadShare);
  const prefix = queuePrefix(queue, config.namespace);
  const keyOfJob = (jobId: string): string => `${prefix}:${queue}:${jobId}`;
  const conflictTries = createJobCounter(redis, keyOfJob, 'sluice:conflicts');
  const starts = createJobCounter(redis, keyOfJob, 'sluice:starts');
  const delayedForDeadLetters = createJobCounter(redis, keyOfJob, deadLettersField);
  const deadLetterBox = createDeadLetterBox({
    breaker,
    logger,
    shutForMs: Math.min(deadLetterBoxShutMs, config.worker.jobDelayMs),
    tellForMs: config.worker.jobDelayMs * 3 + deadLetterBoxShutMs,
    now: () => performance.now(),
  });
  const poisonJobs = createPoisonJobIsolation({
    counter: { add: (jobId) => untilRedisAccepts(() => starts.add(jobId)), takeBack: starts.takeBack },
    maxStarts: config.worker.poisonJobMaxStarts,
    onOutage: breaker.onOutage,
  });
  const delays = createThrottledLog<keyof typeof delayMessages>(troubleLogEveryMs, (why, { count }) => {
    logger.warn({ jobs: count }, delayMessages[why]);
  });
  let halted = false;
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
      if (deps.signal.aborted) return await requeue(job, token);
      const failure = failureOf(worker.rawDataOf(job), error);
      if (failures.note(failure.records, failure.records)) halt('failed');
      throw failure;
    } finally {
      // Before the acknowledgement, which may take long.
      worker.letGo(job);
      settledJobs += 1;
    }
  };

  /** In its turn, which comes within the isolation of poison jobs: there it waits for jobs that have none yet. */
  const processInTurn = async (job: Job, token: string | undefined): Promise<void> => {
    const leave = await memory.turns.enter(worker.heldBytesOf(job));
    try {
      // It was waiting for its turn when the worker's time was up.
      if (deps.signal.aborted) return await requeue(job, token);
      await processNow(job, token);
    } finally {
      leave();
    }
  };

  const processNow = async (job: Job, token: string | undefined): Promise<void> => {
    if (deadLetterBox.isShut && (await isSettledButForDeadLetters(job))) return delayJob(job, token, 'dead_letters');
    const content = { jobId: job.id ?? null, raw: worker.rawDataOf(job), nowMs: deps.clock.now() };
    const outcome = await processChunk(definition, content, batcher);
    if (outcome.kind === 'newer') return delayJob(job, token, 'newer_contract');
    if (outcome.retryLater > 0) return delayJob(job, token, 'retry_later');
    tellMetrics(() => metrics.odd.inc({ queue }, outcome.odd));
    if (outcome.retryLimited.length > 0) await waitForConflicts(job, token);
    // Only now, so that what is dead beside a conflict is counted once.
    const deadLetters = [...outcome.dead, ...outcome.retryLimited];
    const replayed = replayedDeadLetterId(outcome.producer);
    // What an operator puts back may well be dead again; that says nothing about what producers send.
    if (replayed === null && guard.note(outcome.records, deadLetters.length)) halt('dead');
    if (deadLetters.length > 0 && halted) return requeue(job, token);
    try {
      if (deadLetters.length > 0) await storeAndCount(deadLetters);
      else if (replayed !== null) await deadLetterBox.run(() => markStored(deps.database, [replayed]));
    } catch (error) {
      if (!(error instanceof DeadLetterBoxShutError)) throw error;
      if (replayed === null) guard.takeBack(outcome.records, deadLetters.length);
      await untilRedisAccepts(() => delayedForDeadLetters.add(job.id ?? ''));
      return delayJob(job, token, 'dead_letters');
    }
    // Not before: a job that is delayed comes again, and would count each time.
    failures.note(outcome.records, 0);
  };

  /** Whether all that is left to do of a job is to write its dead letters: then it is not worked on in vain. */
  const isSettledButForDeadLetters = async (job: Job): Promise<boolean> =>
    (await untilRedisAccepts(() => redis.hexists(keyOfJob(job.id ?? ''), deadLettersField))) === 1;

  /** Delays the job, so that what its records collided with has time to end. Returns when that was done often enough. */
  const waitForConflicts = async (job: Job, token: string | undefined): Promise<void> => {
    const { retryPolicy } = definition;
    if (retryPolicy === undefined) return;
    const tries = await untilRedisAccepts(() => conflictTries.add(job.id ?? ''));
    if (tries > retryPolicy.tries) return;
    tellMetrics(() => metrics.jobs.inc({ queue, outcome: 'retry_limited' }));
    await moveToDelayed(job, token, backoffMs(retryPolicy.backoff, tries - 1, Math.random));
  };

  const storeAndCount = async (deadLetters: readonly DeadLetter[]): Promise<void> => {
    const stored = await deadLetterBox.run(() => storeWithinBudget(deadLetters));
    tellMetrics(() => {
      metrics.records.inc({ queue, outcome: 'dead' }, stored);
      if (stored < deadLetters.length)
        metrics.records.inc({ queue, outcome: 'tombstoned' }, deadLetters.length - stored);
    });
    // The reason may quote the record; it is in the dead letter.
    for (const { code, jobId } of deadLetters) logger.debug({ jobId, code }, 'record is dead');
  };

  const storeWithinBudget = async (deadLetters: readonly DeadLetter[]): Promise<number> => {
    const bytes = deadLetters.reduce((sum, { payload }) => sum + heldBytes(payload), 0);
    const leave = await memory.statements.enter(bytes);
    try {
      return await storeDeadLetters(deps.database, deadLetters);
    } finally {
      leave();
    }
  };

  /** Delays a job for a while: it comes from a newer producer, or some of its records or dead letters could not be written now. */
  const delayJob = async (job: Job, token: string | undefined, why: keyof typeof delayMessages): Promise<never> => {
    tellMetrics(() => metrics.jobs.inc({ queue, outcome: why }));
    delays.report(why, null);
    return moveToDelayed(job, token, config.worker.jobDelayMs);
  };

  const moveToDelayed = async (job: Job, token: string | undefined, forMs: number): Promise<never> => {
    // By Redis' clock: of this time BullMQ takes the difference to now, see keepRedisTime.
    await untilRedisAccepts(() => job.moveToDelayed(Date.now() + forMs, token));
    throw new DelayedError();
  };

  const requeue = async (job: Job, token: string | undefined): Promise<never> => {
    await untilRedisAccepts(() => job.moveToWait(token));
    throw new WaitingError();
  };

  /** Redis refuses what the job needs. BullMQ fails a job that throws; this one is left to whoever finds it stalled. */
  const leave = (job: Job, error: unknown): never => {
    worker.emit('error', toError(error));
    logger.debug({ jobId: job.id }, 'leaving the job until its lock expires');
    throw new WaitingError();
  };

  const untilRedisAccepts = <T>(ask: () => Promise<T>): Promise<T> =>
    repeatWhileRefused(ask, { forMs: config.worker.lockDurationMs, signal: deps.signal });

  const halt = (why: keyof typeof haltMessages): void => {
    if (halted) return;
    halted = true;
    logger.error(haltMessages[why]);
    worker.pause(true).catch((error: unknown) => logger.error({ err: error }, 'worker could not be paused'));
  };

  const options: WorkerOptions = {
    connection: redis,
    prefix,
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
  const trouble = reportEvents(worker, queue, deps);
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
    isHalted: () => halted,
    /** whether dead letters cannot be written, as far as was tried */
    lacksDeadLetterBox: () => deadLetterBox.isInTrouble,
    /** jobs ended so far, however they ended */
    settledJobs: () => settledJobs,
  };
}

function reportEvents(
  worker: Worker,
  queue: QueueName,
  { logger, metrics, tellMetrics }: Pick<RecordWorkerDeps, 'logger' | 'metrics' | 'tellMetrics'>,
): { close(): void } {
  const trouble = createThrottledLog<'queue'>(troubleLogEveryMs, (_kind, { count, lastError }) => {
    logger.warn({ count, err: lastError }, 'queue trouble');
  });
  worker.on('completed', () => tellMetrics(() => metrics.jobs.inc({ queue, outcome: 'completed' })));
  worker.on('stalled', (jobId) => {
    tellMetrics(() => metrics.jobs.inc({ queue, outcome: 'stalled' }));
    logger.warn({ jobId }, 'job had stalled; processing it again');
  });
  worker.on('failed', (job, error) => {
    // What the server says may quote a row; that stays with the job.
    const { code: reason, records } = error instanceof FailedJobError ? error : { code: messageOf(error), records: 0 };
    tellMetrics(() => {
      metrics.jobs.inc({ queue, outcome: 'failed' });
      metrics.records.inc({ queue, outcome: 'failed' }, records);
    });
    logger.error({ jobId: job?.id, reason }, 'job failed; its records stay in the failed set');
  });
  worker.on('error', (error) => trouble.report('queue', error));
  return trouble;
}

/** Its records could not be stored, for a reason that neither waiting nor taking the batch apart can help. */
class FailedJobError extends UnrecoverableError {
  readonly code: string;
  /** 0 when it is not known how many */
  readonly records: number;

  constructor(code: string, explanation: string, records: number) {
    super(`records could not be stored: ${explanation}`);
    this.code = code;
    this.records = records;
  }
}

/** Nothing that is known here: most likely a bug. */
function failureOf(raw: string, error: unknown): FailedJobError {
  return new FailedJobError(classifyDatabaseError(error).code, explainDatabaseError(error), countRecords(raw));
}

function countRecords(raw: string): number {
  try {
    const chunk = parseChunk(JSON.parse(raw));
    return chunk.kind === 'chunk' ? chunk.chunk.records.length : 1;
  } catch {
    return 1;
  }
}
