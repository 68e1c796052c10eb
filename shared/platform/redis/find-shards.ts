import { maxShards, type QueueName, type ShardName, shardNames } from '../../contracts/queues.ts';
import { answerWithin } from '../deadline.ts';
import { queueKeys } from './read-queue.ts';

/** If a server takes longer, its shards are as they were known before. */
const answerWithinMs = 2_000;

/** The key that is there since a shard had its first job. */
export function shardKey(shard: ShardName, namespace: string): string {
  return queueKeys(shard, namespace).of('id');
}

/**
 * The shards of a queue that ever had a job, in their order, and the first one always: whoever works on a queue works on all of
 * them, also on those to which no producer adds any more. BullMQ counts the jobs of a queue in the script that adds them, and the
 * counter stays; so it is the registration, which no producer can forget and no single server holds for all.
 *
 * @param options.known shards that were found before: of a server that does not answer, only those are found
 */
export async function findShards(
  redis: { exists(key: string): Promise<number> },
  { queue, namespace, known = [] }: { queue: QueueName; namespace: string; known?: readonly ShardName[] },
): Promise<ShardName[]> {
  const names = shardNames(queue, maxShards);
  const areThere = await Promise.all(
    names.map(async (shard, index) => {
      if (index === 0) return true;
      const exists = await answerWithin(answerWithinMs, () => redis.exists(shardKey(shard, namespace)));
      return exists === null ? known.includes(shard) : exists > 0;
    }),
  );
  return names.filter((_, index) => areThere[index]);
}
