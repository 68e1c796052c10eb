import { Queue } from 'bullmq';
import { type QueueName, queuePrefix, type ShardName } from '../shared/contracts/queues.ts';
import { findShards } from '../shared/platform/redis/find-shards.ts';
import type { Redis } from '../shared/platform/redis/redis.ts';

/** The shards of a queue, as BullMQ shows them. */
export function openShards({ redis, namespace, queue }: { redis: Redis; namespace: string; queue: QueueName }) {
  const open = new Map<ShardName, Queue>();
  const openShard = (shard: ShardName): Queue => {
    const opened = new Queue(shard, { connection: redis, prefix: queuePrefix(shard, namespace) });
    opened.on('error', () => undefined);
    open.set(shard, opened);
    return opened;
  };
  return {
    /** What there is in each shard that is there now, in one list. */
    async each<T>(read: (shard: Queue) => Promise<T[]>): Promise<T[]> {
      const shards = await findShards(redis, { queue, namespace, known: [...open.keys()] });
      const lists = await Promise.all(shards.map((shard) => read(open.get(shard) ?? openShard(shard))));
      return lists.flat();
    },
    async close(): Promise<void> {
      await Promise.all(Array.from(open.values(), (shard) => shard.close()));
    },
  };
}
