import type { QueueName } from '../../../shared/contracts/queues.ts';
import type { Redis } from '../../../shared/redis.ts';
import { queueKeys } from '../../doctor/queue-facts.ts';

/** A queue at one moment. All numbers are of jobs; each is a chunk of records. */
export interface QueueReading {
  /** jobs that were ever added, by BullMQ's own counter; one that was added again counts again */
  added: number;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  isPaused: boolean;
  /** when the job that waits longest was added, in ms since 1970; null when none waits */
  oldestAddedAtMs: number | null;
}

/**
 * Reads a queue in one transaction, so that its numbers belong together, with commands that cost the same however long it is.
 *
 * @throws what Redis answers, or that it does not
 */
export async function readQueue(
  redis: Redis,
  { queue, namespace }: { queue: QueueName; namespace: string },
): Promise<QueueReading> {
  const key = queueKeys(queue, namespace).of;
  const replies = await redis
    .multi()
    .get(key('id'))
    .llen(key('wait'))
    .llen(key('paused'))
    .zcard(key('prioritized'))
    .zcard(key('delayed'))
    .llen(key('active'))
    .zcard(key('failed'))
    .hget(key('meta'), 'paused')
    // Jobs are added at the head and taken from the tail.
    .lindex(key('wait'), -1)
    .lindex(key('paused'), -1)
    .exec();
  const [added, wait, paused, prioritized, delayed, active, failed, isPaused, oldest, oldestPaused] = (
    replies ?? []
  ).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  const oldestId = oldest ?? oldestPaused;
  const addedAt = typeof oldestId === 'string' ? await redis.hget(key(oldestId), 'timestamp') : null;
  return {
    added: Number(added ?? 0),
    waiting: Number(wait) + Number(paused) + Number(prioritized),
    active: Number(active),
    delayed: Number(delayed),
    failed: Number(failed),
    isPaused: isPaused !== null,
    oldestAddedAtMs: addedAt === null ? null : Number(addedAt),
  };
}
