import type { RedisQueueBackend, Worker } from 'bullmq';
import { toError } from '../../shared/platform/errors.ts';
import { classifyRedisError, explainRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';

/** What a worker asks of Redis, by the method of BullMQ that asks, as a probe tells it. */
const needs = {
  waitForJob: 'to wait for jobs',
  moveToActive: 'to take jobs',
  extendLocks: 'to keep its jobs',
  moveToCompleted: 'to finish jobs',
  moveToFailed: 'to finish jobs',
  moveToDelayed: 'to delay jobs',
  moveJobFromActiveToWait: 'to return jobs',
  moveStalledJobsToWait: 'to find stalled jobs',
} as const satisfies Partial<Record<keyof RedisQueueBackend, string>>;

type Need = (typeof needs)[keyof typeof needs] | 'to set up its schedule';

/** A refusal that is not repeated for so long counts no more, in ms. A worker asks for each need more often than that, if at all. */
const forgetMs = 30_000;

/**
 * Knows whether Redis does what a worker needs, from what came of its last questions: a server that answers PING may refuse
 * everything else. A need that is met counts no more, and neither does one that is not felt any more.
 *
 * @param now ms of a clock that does not jump
 */
export function createRedisStanding(now: () => number) {
  const refusals = new Map<Need, { error: Error; atMs: number }>();

  const note = (need: Need, error: unknown): void => {
    if (isRefusal(error)) refusals.set(need, { error: toError(error), atMs: now() });
    // What BullMQ says of a job is an answer as good as any other.
    else if (error === null || classifyRedisError(error).class === 'job') refusals.delete(need);
  };

  return {
    note,

    /** The last refusal as one line, with what to do about it; null while Redis does what is needed. */
    whyRefused(): string | null {
      let last: { need: Need; error: Error; atMs: number } | null = null;
      for (const [need, refusal] of refusals) {
        if (now() - refusal.atMs > forgetMs) refusals.delete(need);
        else if (last === null || refusal.atMs > last.atMs) last = { need, ...refusal };
      }
      return last === null
        ? null
        : `Redis refuses a command that the worker needs ${last.need}: ${explainRedisError(last.error)}`;
    },
  };
}

export type RedisStanding = ReturnType<typeof createRedisStanding>;

/** Notes what comes of all that a worker asks of Redis. */
export function noteAnswers({ backend }: Worker, { note }: RedisStanding): void {
  for (const [method, need] of Object.entries(needs) as [keyof typeof needs, Need][]) {
    const ask = backend[method].bind(backend) as (...args: unknown[]) => Promise<unknown>;
    const noted = async (...args: unknown[]): Promise<unknown> => {
      try {
        const answer = await ask(...args);
        note(need, null);
        return answer;
      } catch (error) {
        note(need, error);
        throw error;
      }
    };
    Object.defineProperty(backend, method, { value: noted });
  }
}
