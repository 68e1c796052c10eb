import { QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import type { Place } from './worker-process.ts';

/**
 * Notes every job that any worker of a fleet finds stalled from now on. The queue's own event stream tells, so nothing
 * gets lost with a worker that ends.
 */
export async function watchStalls({ redisUrl, namespace }: Place): Promise<readonly string[]> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const events = new QueueEvents('execution-log', {
    connection: redis,
    prefix: queuePrefix('execution-log', namespace),
  });
  onTestFinished(async () => {
    await events.close();
    redis.disconnect();
  });
  const stalled: string[] = [];
  events.on('stalled', ({ jobId }) => stalled.push(jobId));
  await events.waitUntilReady();
  return stalled;
}
