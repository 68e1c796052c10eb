import { Queue } from 'bullmq';
import { type QueueName, queuePrefix } from '../shared/contracts/queues.ts';
import { endsWithin } from '../shared/lifecycle.ts';
import type { Redis } from '../shared/redis.ts';
import type { QueueDepth } from './metrics.ts';

const answerWithinMs = 1_000;

/** Looks at a queue for the metrics. A scrape must not hang with Redis, so the answer is null when none comes in a second. */
export function createQueueDepth(options: { redis: Redis; queue: QueueName; namespace: string; now: () => number }) {
  const queue = new Queue(options.queue, {
    connection: options.redis,
    prefix: queuePrefix(options.queue, options.namespace),
  });
  queue.on('error', () => undefined);

  const read = async (): Promise<QueueDepth> => {
    const [counts, [oldest]] = await Promise.all([
      queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
      queue.getJobs(['waiting'], 0, 0, true),
    ]);
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counts;
    const oldestWaitSeconds = oldest ? Math.max(0, options.now() - oldest.timestamp) / 1_000 : 0;
    return { waiting, active, delayed, failed, oldestWaitSeconds };
  };

  let reading: Promise<QueueDepth | null> | null = null;
  const readInTime = async (): Promise<QueueDepth | null> => {
    const answer = read().catch(() => null);
    return (await endsWithin(answer, answerWithinMs)) ? answer : null;
  };

  return {
    /** Those who ask at the same time, as the gauges of one scrape do, get the same answer. */
    read(): Promise<QueueDepth | null> {
      reading ??= readInTime().finally(() => {
        reading = null;
      });
      return reading;
    },
    close: () => queue.close(),
  };
}
