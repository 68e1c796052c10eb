import type { Redis } from '../../shared/platform/redis/redis.ts';
import { evenWhenFull } from '../../shared/platform/redis/redis-scripts.ts';

/** Counts something about single jobs, in Redis, for this process may not live to tell. */
export interface JobCounter {
  /** One more. @returns how many there are now; 0 when the job is gone */
  add(jobId: string): Promise<number>;
  /** One less: it has turned out not to count. */
  takeBack(jobId: string): Promise<void>;
}

/**
 * A field is added only to a job that is still there: a job that is nothing but a counter would never go away. It is a few
 * bytes, and what ends a job makes room for more.
 */
const addScript = evenWhenFull(`if redis.call('exists', KEYS[1]) == 0 then return 0 end
return redis.call('hincrby', KEYS[1], ARGV[1], ARGV[2])`);

/** Counts in a field of the job's own hash, so that the count goes when the job goes. */
export function createJobCounter(redis: Redis, keyOf: (jobId: string) => string, field: string): JobCounter {
  const add = (jobId: string, by: number): Promise<number> =>
    redis.eval(addScript, 1, keyOf(jobId), field, by) as Promise<number>;
  return {
    add: (jobId) => add(jobId, 1),
    takeBack: async (jobId) => {
      await add(jobId, -1);
    },
  };
}
