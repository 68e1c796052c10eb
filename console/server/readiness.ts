import { queueNames } from '../../shared/contracts/queues.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { findSilentServers } from '../../shared/platform/readiness.ts';
import { askShards, findLastingRefusal, partAnswers } from '../../shared/platform/redis/ask-shards.ts';
import { readQueue } from '../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { explainRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';
import type { ShardList } from './queues/shard-list.ts';

/** A little less than what both servers have. */
const shardAnswersWithinMs = 900;

/**
 * Asks both servers what the console needs from them; concurrent callers share one check. A server that answers PING may
 * still refuse to show its queues. While a part of a cluster is away, the console can show the shards of the others.
 *
 * @returns null if both answer within a second, otherwise which one did not, or why
 */
export function createReadiness({
  redis,
  database,
  namespace,
  shardList,
}: {
  redis: Redis;
  database: Database;
  namespace: string;
  shardList: ShardList;
}): () => Promise<string | null> {
  return singleFlight(async () => {
    let refusal: unknown = null;
    const askRedis = async (): Promise<void> => {
      const shards = queueNames.flatMap((queue) => shardList.foundOf(queue));
      const { answered, silent } = partAnswers(
        await askShards(shards, shardAnswersWithinMs, (queue) => readQueue(redis, { queue, namespace })),
      );
      const isAway = answered.length === 0;
      const [failure] = silent;
      refusal =
        findLastingRefusal(silent) ?? (isAway ? silent.map(({ error }) => error).find(isRefusal) : null) ?? null;
      if (failure !== undefined && refusal === null && isAway) throw failure.error;
    };
    const silent = await findSilentServers(askRedis, database);
    if (silent !== null || refusal === null) return silent;
    return `Redis refuses to show the queues: ${explainRedisError(refusal)}`;
  });
}
