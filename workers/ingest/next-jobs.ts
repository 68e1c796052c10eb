import type { Redis } from '../../shared/platform/redis/redis.ts';

/** Jobs that are looked at, and fetches that such a look is good for: other workers fetch beside this one. */
const lookedAt = 300;
const goodFor = 100;

const script = `
local largest, ids = 0, redis.call('LRANGE', KEYS[1], -tonumber(ARGV[2]), -1)
for at = 1, #ids do largest = math.max(largest, redis.call('HSTRLEN', ARGV[1] .. ids[at], 'data')) end
return { #ids, largest }
`;

/**
 * Knows how large the jobs are that a worker is about to fetch, as far as somebody has asked: BullMQ hands jobs over by their
 * number. What it knows is almost always so. It is wrong where many workers fetch at once, or a worker has died and its jobs
 * come first.
 *
 * @param options.queueKey of the queue in Redis, which the keys of its jobs begin with
 * @param options.onKnown told when there is something new
 */
export function createNextJobs({ redis, queueKey, onKnown }: { redis: Redis; queueKey: string; onKnown: () => void }) {
  let fetchesLeft = 0;
  let lookAgainAt = 0;
  let largest = 0;
  let isLooking = false;

  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const [jobs, bytes] = (await redis.eval(script, 1, `${queueKey}:wait`, `${queueKey}:`, lookedAt)) as number[];
      fetchesLeft = Math.min(jobs ?? 0, goodFor);
      lookAgainAt = Math.floor(fetchesLeft / 2);
      largest = bytes ?? 0;
    } catch {
      // A server that does not answer is told of elsewhere, and one that refuses this leaves the sizes unknown.
      fetchesLeft = 0;
    } finally {
      isLooking = false;
      // Whoever is told looks again when nothing is known: of a queue in which nothing waits, that would have no end.
      if (fetchesLeft > 0) onKnown();
    }
  };

  return {
    /** bytes of data, in UTF-8, that the next job has at most; null: nobody has looked so far ahead */
    get largestBytes(): number | null {
      return fetchesLeft > 0 ? largest : null;
    },
    /** Looks, without being waited for. */
    look(): void {
      void look();
    },
    /** Counts a fetch, and looks again in time. */
    countFetch(): void {
      fetchesLeft -= 1;
      if (fetchesLeft <= lookAgainAt) void look();
    },
    /** A job has come that was not to be expected. */
    forget(): void {
      fetchesLeft = 0;
    },
  };
}

export type NextJobs = ReturnType<typeof createNextJobs>;
