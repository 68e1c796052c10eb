import { QueueKeys } from 'bullmq';
import { type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import type { Redis } from '../../shared/redis.ts';

/** A queue as it stands in Redis. */
export interface QueueFacts {
  /** who opened the queue last, as `bullmq:6.7.0`; null when nobody ever did */
  library: string | null;
  paused: boolean;
  /** jobs by state */
  waiting: number;
  delayed: number;
  active: number;
  failed: number;
  /** seconds since the job that has waited longest was added; null when none waits */
  oldestWaitSeconds: number | null;
  /** entries of BullMQ's stream of events, and what it is to be trimmed to (null: not told) */
  events: number;
  eventsKept: number | null;
}

/** What a queue's keys are, and how the connections of its workers are named. */
export function queueKeys(queue: QueueName, namespace: string) {
  const prefix = queuePrefix(queue, namespace);
  const keys = new QueueKeys(prefix);
  return {
    of: (part: string) => keys.toKey(queue, part),
    /** BullMQ names the connection on which a worker waits for jobs so, and appends the worker's own name if it has one. */
    workerConnection: `${prefix}:${Buffer.from(queue).toString('base64')}`,
  };
}

/**
 * Reads a queue with plain commands: BullMQ's own Queue would write its version and options into the queue when opened.
 *
 * @throws what Redis answers, when one of the keys cannot be read
 */
export async function readQueueFacts(
  redis: Redis,
  options: { queue: QueueName; namespace: string; nowMs: number },
): Promise<QueueFacts> {
  const key = queueKeys(options.queue, options.namespace).of;
  // Jobs are added at the head and taken from the tail. Before version 6, a paused queue kept its jobs in another list.
  const [meta, wait, paused, prioritized, delayed, active, failed, events, oldest, oldestPaused] = await Promise.all([
    redis.hmget(key('meta'), 'version', 'paused', 'opts.maxLenEvents'),
    redis.llen(key('wait')),
    redis.llen(key('paused')),
    redis.zcard(key('prioritized')),
    redis.zcard(key('delayed')),
    redis.llen(key('active')),
    redis.zcard(key('failed')),
    redis.xlen(key('events')),
    redis.lindex(key('wait'), -1),
    redis.lindex(key('paused'), -1),
  ]);
  const [library = null, isPaused = null, eventsKept = null] = meta;
  const oldestId = oldest ?? oldestPaused;
  const addedAt = oldestId === null ? null : await redis.hget(key(oldestId), 'timestamp');
  return {
    library,
    paused: isPaused !== null,
    waiting: wait + paused + prioritized,
    delayed,
    active,
    failed,
    oldestWaitSeconds: addedAt === null ? null : Math.max(0, options.nowMs - Number(addedAt)) / 1_000,
    events,
    eventsKept: eventsKept === null ? null : Number(eventsKept),
  };
}
