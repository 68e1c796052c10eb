import type { Redis } from '../shared/redis.ts';
import type { StartCounter } from './suspects.ts';

const field = 'sluice:starts';

/** A field is added only to a job that is still there: a job that is nothing but a counter would never go away. */
const addScript = `if redis.call('exists', KEYS[1]) == 0 then return 0 end
return redis.call('hincrby', KEYS[1], ARGV[1], ARGV[2])`;

/** Counts the starts of a job in its own hash, so that the count goes when the job goes. */
export function createStartCounter(redis: Redis, keyOf: (jobId: string) => string): StartCounter {
  const add = (jobId: string, by: number): Promise<number> =>
    redis.eval(addScript, 1, keyOf(jobId), field, by) as Promise<number>;
  return {
    add: (jobId) => add(jobId, 1),
    takeBack: async (jobId) => {
      await add(jobId, -1);
    },
  };
}
