import { DelayedError, type Job, WaitingError } from 'bullmq';
import { queuePrefix, type ShardName } from '../../shared/contracts/queues.ts';
import { backoffMs } from '../../shared/platform/backoff.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { retryWhileRefused } from '../runtime/redis-retry.ts';
import type { RoleConfig } from '../runtime/role.ts';
import type { TellMetrics } from '../runtime/tell-metrics.ts';
import { createJobCounter, type JobCounter } from './job-counter.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { QueueDefinition } from './queue-definition.ts';

/** What it takes to deal with the jobs of one shard of a queue; whoever made it closes it. */
export interface JobDeps {
  definition: QueueDefinition;
  shard: ShardName;
  config: RoleConfig;
  redis: Redis;
  logger: Logger;
  metrics: WorkerMetrics;
  tellMetrics: TellMetrics;
  /** aborted when the worker's time to finish is up */
  signal: AbortSignal;
}

/** Sends jobs back to Redis. */
export type JobDelays = ReturnType<typeof createJobDelays>;

const logEveryMs = 10_000;

/** Of a job's own hash: how often it was delayed for the sake of its dead letters. */
const deadLettersField = 'sluice:letters';

const messages = {
  newer_contract: 'chunks were written by a newer producer; delaying them',
  retry_later:
    'records could not be written now because rows are locked, statements take too long or space is short; delaying their jobs',
  dead_letters:
    'dead letters could not be written now; their jobs are delayed, and the other records of those jobs are stored',
};

/** Sends jobs back to Redis, and throws what tells BullMQ that they are there. What Redis refuses is asked again. */
export function createJobDelays({ definition, shard, config, redis, logger, metrics, tellMetrics, signal }: JobDeps) {
  const { queue, retryPolicy } = definition;
  const prefix = queuePrefix(shard, config.namespace);
  const keyOf = (jobId: string): string => `${prefix}:${shard}:${jobId}`;
  const untilRedisAccepts = <T>(ask: () => Promise<T>): Promise<T> =>
    retryWhileRefused(ask, { forMs: config.worker.lockDurationMs, signal });
  const counterOf = (field: string): JobCounter => {
    const { add, takeBack } = createJobCounter(redis, keyOf, field);
    return { add: (jobId) => untilRedisAccepts(() => add(jobId)), takeBack };
  };
  const conflicts = counterOf('sluice:conflicts');
  const forDeadLetters = counterOf(deadLettersField);
  const log = createThrottledLog<keyof typeof messages>(logEveryMs, (why, { count }) => {
    logger.warn({ jobs: count }, messages[why]);
  });

  const moveToDelayed = async (job: Job, token: string | undefined, forMs: number): Promise<never> => {
    // By Redis' clock: of this time BullMQ takes the difference to now, see keepRedisTime.
    await untilRedisAccepts(() => job.moveToDelayed(Date.now() + forMs, token));
    throw new DelayedError();
  };

  return {
    /** how often jobs were started in isolation */
    starts: counterOf('sluice:starts'),

    /** Delays a job: it comes from a newer producer, or some of its records or dead letters could not be written now. */
    async delay(job: Job, token: string | undefined, why: keyof typeof messages): Promise<never> {
      tellMetrics(() => metrics.jobs.inc({ queue, outcome: why }));
      log.report(why, null);
      return moveToDelayed(job, token, config.worker.jobDelayMs);
    },

    /** Delays the job, so that what its records collided with has time to end. Returns when that was done often enough. */
    async waitForConflicts(job: Job, token: string | undefined): Promise<void> {
      if (retryPolicy === undefined) return;
      const tries = await conflicts.add(job.id ?? '');
      if (tries > retryPolicy.tries) return;
      tellMetrics(() => metrics.jobs.inc({ queue, outcome: 'retry_limited' }));
      await moveToDelayed(job, token, backoffMs(retryPolicy.backoff, tries - 1, Math.random));
    },

    /** Notes that all that is left to do of a job is to write its dead letters. */
    noteSettledButForDeadLetters: (job: Job) => forDeadLetters.add(job.id ?? ''),

    /** Whether that was noted: then the job is not worked on in vain. */
    isSettledButForDeadLetters: async (job: Job): Promise<boolean> =>
      (await untilRedisAccepts(() => redis.hexists(keyOf(job.id ?? ''), deadLettersField))) === 1,

    /** Lets another worker have the job at once. */
    async requeue(job: Job, token: string | undefined): Promise<never> {
      await untilRedisAccepts(() => job.moveToWait(token));
      throw new WaitingError();
    },

    /** Ends its log. */
    close: log.close,
  };
}
