import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import { queuePrefix, type ShardName } from '../../shared/contracts/queues.ts';

/** A connection to the Redis of the tests that knows nothing of BullMQ. */
export function openRawRedis(): Redis {
  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** Adds a job by the commands of docs/other-languages.md. */
export async function addJob(
  redis: Redis,
  { namespace, shard, jobId, data }: { namespace: string; shard: ShardName; jobId: string; data: string },
): Promise<void> {
  const base = `${queuePrefix(shard, namespace)}:${shard}`;
  const outcomes = await redis
    .multi([
      ['incr', `${base}:id`],
      ['hset', `${base}:${jobId}`, 'name', 'chunk', 'data', data, 'opts', '{}', 'timestamp', String(Date.now())],
      ['hset', `${base}:${jobId}`, 'delay', '0', 'priority', '0'],
      ['lpush', `${base}:wait`, jobId],
      ['zadd', `${base}:marker`, '0', '0'],
    ])
    .exec();
  for (const [error] of outcomes ?? []) if (error !== null) throw error;
}
