import type { ShardName } from '../../shared/contracts/queues.ts';
import { ageSeconds, type QueueReading, queueKeys, readQueue } from '../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';

/** A shard of a queue in Redis, with its settings. */
export interface QueueFacts extends Pick<QueueReading, 'waiting' | 'active' | 'delayed' | 'failed'> {
  /** who opened it last, as `bullmq:6.7.0`; null when nobody ever did */
  library: string | null;
  paused: boolean;
  /** seconds since the job that has waited longest was added; null if none waits */
  oldestWaitSeconds: number | null;
  /** entries of BullMQ's event stream, and the length to which it is trimmed (null: not known) */
  events: number;
  eventsKept: number | null;
}

/** @throws what Redis answers, when one of the keys cannot be read */
export async function readQueueFacts(
  redis: Redis,
  { nowMs, ...options }: { queue: ShardName; namespace: string; nowMs: number },
): Promise<QueueFacts> {
  const key = queueKeys(options.queue, options.namespace).of;
  const [{ waiting, active, delayed, failed, isPaused, oldestAddedAtMs }, [library = null, eventsKept = null], events] =
    await Promise.all([
      readQueue(redis, options),
      redis.hmget(key('meta'), 'version', 'opts.maxLenEvents'),
      redis.xlen(key('events')),
    ]);
  return {
    ...{ waiting, active, delayed, failed },
    library,
    paused: isPaused,
    oldestWaitSeconds: ageSeconds(oldestAddedAtMs, nowMs),
    events,
    eventsKept: eventsKept === null ? null : Number(eventsKept),
  };
}
