import { Queue } from 'bullmq';
import {
  maxShards,
  type QueueName,
  queuePrefix,
  type ShardName,
  shardNames,
} from '../../../shared/contracts/queues.ts';
import { askShards, partAnswers } from '../../../shared/platform/redis/ask-shards.ts';
import { nodeOf } from '../../../shared/platform/redis/cluster-nodes.ts';
import { findShards } from '../../../shared/platform/redis/find-shards.ts';
import { queueKeys } from '../../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { evenWhenFull } from '../../../shared/platform/redis/redis-scripts.ts';

export type QueueChange = 'pause' | 'resume' | 'retry';

/** The result of a change to all shards of a queue. */
export interface ChangedQueue {
  queue: QueueName;
  change: QueueChange;
  /** whether all shards that were changed are paused, after the change */
  paused: boolean;
  /** before the change; jobs that fail during it do not count */
  failedBefore: number;
  failedAfter: number;
  /** shards that could not be changed, and why; repeat the change for them */
  unchanged: { shard: ShardName; why: string }[];
}

/** A change of many failed jobs takes its time; a server that does not answer is given up by the client earlier. */
const changeWithinMs = 600_000;
const flagWithinMs = 10_000;

/**
 * Changes all shards of a queue. Each change can be repeated: it then finds nothing to do. Shards whose server is away do not keep
 * the others from being changed.
 *
 * @throws Redis' error, if no shard could be changed
 */
export async function changeQueue(
  redis: Redis,
  { queue, namespace, change }: { queue: QueueName; namespace: string; change: QueueChange },
): Promise<ChangedQueue> {
  const flagged = change === 'retry' ? [] : await flagShardsToCome(redis, { queue, namespace, change });
  // Now, so that a shard that came meanwhile is among them.
  const shards = await findShards(redis, { queue, namespace, known: shardNames(queue, maxShards) });
  const asked = await askShards(shards, changeWithinMs, (shard) => changeShard(redis, { shard, namespace, change }));
  const { answered, silent } = partAnswers(asked);
  if (answered.length === 0 && silent[0] !== undefined) throw silent[0].error;
  const failedTo = [...silent, ...flagged.filter(({ shard }) => !shards.includes(shard))];
  return {
    queue,
    change,
    paused: answered.every(({ value }) => value.paused),
    failedBefore: answered.reduce((sum, { value }) => sum + value.failedBefore, 0),
    failedAfter: answered.reduce((sum, { value }) => sum + value.failedAfter, 0),
    unchanged: failedTo.map(({ shard, error }) => ({ shard, why: error.message })),
  };
}

/** KEYS[1] the settings of a shard. As scripts, because a queue can be paused also when Redis is full. */
const setFlag = evenWhenFull(`return redis.call('HSET', KEYS[1], 'paused', 1)`);
const clearFlag = evenWhenFull(`return redis.call('HDEL', KEYS[1], 'paused')`);

/**
 * Sets or clears the flag that BullMQ has in a paused queue, also in shards that have had no job yet: a producer that is given more
 * shards while the queue is paused must not send records past the pause.
 */
async function flagShardsToCome(
  redis: Redis,
  { queue, namespace, change }: { queue: QueueName; namespace: string; change: 'pause' | 'resume' },
) {
  const there = await findShards(redis, { queue, namespace });
  const others = shardNames(queue, maxShards).filter((shard) => !there.includes(shard));
  const script = change === 'pause' ? setFlag : clearFlag;
  const asked = await askShards(others, flagWithinMs, (shard) =>
    redis.eval(script, 1, queueKeys(shard, namespace).of('meta')),
  );
  return partAnswers(asked).silent;
}

async function changeShard(
  redis: Redis,
  { shard, namespace, change }: { shard: ShardName; namespace: string; change: QueueChange },
): Promise<{ paused: boolean; failedBefore: number; failedAfter: number }> {
  const queue = new Queue(shard, {
    connection: redis,
    prefix: queuePrefix(shard, namespace),
    // Its producers have set how many events to keep; opening the queue without this option would undo that.
    skipMetasUpdate: true,
    // It asks any node of a cluster, also one that is away.
    skipVersionCheck: true,
  });
  queue.on('error', () => undefined);
  try {
    const failedBefore = await queue.getFailedCount();
    if (change === 'pause') await queue.pause();
    else if (change === 'resume') await queue.resume();
    // Only jobs that failed before now, by the workers' clock: one that fails again is not moved back for ever.
    else await queue.retryJobs({ state: 'failed', timestamp: await readRedisMs(redis, queue.toKey('id')) });
    return { paused: await queue.isPaused(), failedBefore, failedAfter: await queue.getFailedCount() };
  } finally {
    await queue.close();
  }
}

async function readRedisMs(redis: Redis, key: string): Promise<number> {
  const server = await nodeOf(redis, key);
  const [seconds, microseconds] = await server.time();
  return Math.ceil(Number(seconds) * 1_000 + Number(microseconds) / 1_000);
}
