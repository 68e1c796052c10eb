import { clientNamesOf } from '../../../doctor/redis/redis-facts.ts';
import type { ShardName } from '../../../shared/contracts/queues.ts';
import { askShards, partAnswers } from '../../../shared/platform/redis/ask-shards.ts';
import { nodeOf } from '../../../shared/platform/redis/cluster-nodes.ts';
import { queueKeys } from '../../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

const answerWithinMs = 900;

/**
 * How many processes take jobs of a queue, counted by their blocking connections. A process has one for each shard, so it is the largest
 * number of all shards: one that has just started has not found all of them. Null if Redis does not tell.
 */
export async function countWorkers(
  redis: Redis,
  { shards, namespace }: { shards: readonly ShardName[]; namespace: string },
): Promise<number | null> {
  const lists = new Map<object, Promise<string[]>>();
  const answers = await askShards(shards, answerWithinMs, async (shard) => {
    const keys = queueKeys(shard, namespace);
    // They wait at the server that has the shard; at other nodes of a cluster they may have connections, too.
    const server = await nodeOf(redis, keys.of('id'));
    const list = lists.get(server) ?? server.client('LIST').then((text) => clientNamesOf(String(text)));
    lists.set(server, list);
    return keys.countWorkers(await list);
  });
  const { answered } = partAnswers(answers);
  return answered.length === 0 ? null : Math.max(...answered.map(({ value }) => value));
}
