import { queueNames } from '../../shared/contracts/queues.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { findSilentServers } from '../../shared/platform/readiness.ts';
import { readQueue } from '../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { explainRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';

/**
 * Asks both servers what the console needs from them; concurrent callers share one check. A server that answers PING may
 * still refuse to show its queues.
 *
 * @returns null if both answer within a second, otherwise which one did not, or why
 */
export function createReadiness({
  redis,
  database,
  namespace,
}: {
  redis: Redis;
  database: Database;
  namespace: string;
}): () => Promise<string | null> {
  return singleFlight(async () => {
    let refusal: unknown = null;
    const askRedis = async (): Promise<void> => {
      try {
        for (const queue of queueNames) await readQueue(redis, { queue, namespace });
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusal = error;
      }
    };
    const silent = await findSilentServers(askRedis, database);
    if (silent !== null || refusal === null) return silent;
    return `Redis refuses to show the queues: ${explainRedisError(refusal)}`;
  });
}
