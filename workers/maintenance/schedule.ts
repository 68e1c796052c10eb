import { Queue } from 'bullmq';
import { maintenanceQueue, queuePrefix } from '../../shared/contracts/queues.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { keepRedisTime } from '../runtime/keep-redis-time.ts';
import type { RedisClock } from '../runtime/redis-clock.ts';
import { taskNames } from './task.ts';

/** Ended runs that Redis keeps of each kind, for whoever looks at the queue. */
const runsKept = 100;

/**
 * One BullMQ job scheduler a task, shared by all maintenance workers: the same id means the same scheduler, however many
 * set it up. A new one is due at once; one that is there keeps its turn, and is due at once when that has passed.
 */
export function createSchedule(options: { redis: Redis; namespace: string; everyMs: number; clock: RedisClock }) {
  const { redis, namespace, everyMs } = options;
  const queue = new Queue(maintenanceQueue, {
    connection: redis,
    prefix: queuePrefix(maintenanceQueue, namespace),
  });
  keepRedisTime(queue, options.clock);
  queue.on('error', () => undefined);
  return {
    /** Sets the schedulers up that are not there. To be repeated: a Redis that has lost its data has lost them too. */
    async ensure(): Promise<void> {
      for (const name of taskNames) {
        await queue.upsertJobScheduler(
          name,
          { every: everyMs },
          // One attempt: the next turn is the next attempt.
          { name, opts: { attempts: 1, removeOnComplete: { count: runsKept }, removeOnFail: { count: runsKept } } },
        );
      }
    },
    close: () => queue.close(),
  };
}
