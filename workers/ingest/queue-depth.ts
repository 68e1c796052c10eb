import { Queue } from 'bullmq';
import { type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import { answerWithin } from '../../shared/platform/deadline.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';
import type { QueueDepth } from './metrics.ts';

const answerWithinMs = 1_000;

/** Looks at a queue for the metrics. A scrape must not hang with Redis, so the answer is null when none comes in a second. */
export function createQueueDepth(options: { redis: Redis; queue: QueueName; namespace: string; now: () => number }) {
  const queue = new Queue(options.queue, {
    connection: options.redis,
    prefix: queuePrefix(options.queue, options.namespace),
    // It only looks; opening a queue would write its settings, among them how long the producers keep its events.
    skipMetasUpdate: true,
  });
  queue.on('error', () => undefined);

  const read = async (): Promise<QueueDepth> => {
    const [counts, addedAtMs, meta] = await Promise.all([
      queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
      readOldest(),
      queue.getMeta(),
    ]);
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counts;
    const oldestWaitSeconds = addedAtMs === null ? 0 : Math.max(0, options.now() - addedAtMs) / 1_000;
    // Somebody holds the queue back on purpose: it is paused, or has a limit for all workers together.
    const isHeldBack = meta.paused === true || meta.concurrency !== undefined || meta.max !== undefined;
    return { waiting, active, delayed, failed, oldestWaitSeconds, isHeldBack };
  };

  /** When the job that waits longest was added. Asks for that alone: a whole job may be large. */
  const readOldest = async (): Promise<number | null> => {
    const [id] = await queue.getRanges(['waiting'], 0, 0, true);
    const addedAtMs = id === undefined ? null : await options.redis.hget(queue.toKey(id), 'timestamp');
    // Other producers may leave it out, or write what is no time.
    return addedAtMs === null || !Number.isFinite(Number(addedAtMs)) ? null : Number(addedAtMs);
  };

  return {
    /** Those who ask at the same time, as the gauges of one scrape do, get the same answer. */
    read: singleFlight(() => answerWithin(answerWithinMs, read)),
    close: () => queue.close(),
  };
}
