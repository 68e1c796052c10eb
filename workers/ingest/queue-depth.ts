import type { QueueName } from '../../shared/contracts/queues.ts';
import { answerWithin } from '../../shared/platform/deadline.ts';
import { ageSeconds, type QueueReading, readQueue } from '../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';

/** A queue as the gauges of a worker tell of it. */
export interface QueueDepth extends Pick<QueueReading, 'waiting' | 'active' | 'delayed' | 'failed' | 'isHeldBack'> {
  oldestWaitSeconds: number;
}

const answerWithinMs = 1_000;

/**
 * Reads a queue for the metrics. A scrape must not hang with Redis, so the answer is null when none comes in a second. Those
 * who ask at the same time, as the gauges of one scrape do, get the same answer.
 */
export function createQueueDepth(options: { redis: Redis; queue: QueueName; namespace: string; now: () => number }) {
  const read = async (): Promise<QueueDepth> => {
    const { oldestAddedAtMs, ...reading } = await readQueue(options.redis, options);
    return { ...reading, oldestWaitSeconds: ageSeconds(oldestAddedAtMs, options.now()) ?? 0 };
  };
  return singleFlight(() => answerWithin(answerWithinMs, read));
}
