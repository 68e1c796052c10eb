import { Queue } from 'bullmq';
import { type QueueName, queuePrefix } from '../../../shared/contracts/queues.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

export type QueueChange = 'pause' | 'resume' | 'retry';

/** The result of a change. */
export interface ChangedQueue {
  queue: QueueName;
  change: QueueChange;
  /** after the change */
  paused: boolean;
  /** before the change; jobs that fail during it do not count */
  failedBefore: number;
  failedAfter: number;
}

async function readRedisMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Math.ceil(Number(seconds) * 1_000 + Number(microseconds) / 1_000);
}

/** Changes a queue. Each change can be repeated: it then finds nothing to do. @throws Redis' error */
export async function changeQueue(
  redis: Redis,
  { queue: name, namespace, change }: { queue: QueueName; namespace: string; change: QueueChange },
): Promise<ChangedQueue> {
  // Its producers have set how many events to keep; opening the queue without this option would undo that.
  const queue = new Queue(name, {
    connection: redis,
    prefix: queuePrefix(name, namespace),
    skipMetasUpdate: true,
  });
  queue.on('error', () => undefined);
  try {
    const failedBefore = await queue.getFailedCount();
    if (change === 'pause') await queue.pause();
    else if (change === 'resume') await queue.resume();
    // Only jobs that failed before now, by the workers' clock: one that fails again is not moved back for ever.
    else await queue.retryJobs({ state: 'failed', timestamp: await readRedisMs(redis) });
    return {
      queue: name,
      change,
      paused: await queue.isPaused(),
      failedBefore,
      failedAfter: await queue.getFailedCount(),
    };
  } finally {
    await queue.close();
  }
}
