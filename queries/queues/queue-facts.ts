import { QueueKeys } from 'bullmq';
import { type QueueName, queuePrefix } from '../../shared/contracts/queues.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';

/** The state of a queue at one moment. All numbers are counts of jobs; each job is a chunk of records. */
export interface QueueReading {
  /** jobs that were ever added, by BullMQ's own counter; a job that was added again counts again */
  added: number;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  isPaused: boolean;
  /** when the job that has waited longest was added, in ms since 1970; null if none waits */
  oldestAddedAtMs: number | null;
}

/** A queue in Redis, with its settings. */
export interface QueueFacts extends Omit<QueueReading, 'added' | 'isPaused' | 'oldestAddedAtMs'> {
  /** who opened the queue last, such as `bullmq:6.7.0`; null if nobody ever did */
  library: string | null;
  paused: boolean;
  /** seconds since the job that has waited longest was added; null if none waits */
  oldestWaitSeconds: number | null;
  /** entries of BullMQ's event stream, and the length to which it is trimmed (null: not known) */
  events: number;
  eventsKept: number | null;
}

/** A queue's keys, and the names of its workers' connections. */
export function queueKeys(queue: QueueName, namespace: string) {
  const prefix = queuePrefix(queue, namespace);
  const keys = new QueueKeys(prefix);
  const workerConnection = `${prefix}:${Buffer.from(queue).toString('base64')}`;
  return {
    of: (part: string) => keys.toKey(queue, part),
    /** BullMQ gives this name to the connection on which a worker waits for jobs, and appends the worker's own name if it has one. */
    workerConnection,
    /** How many Redis connections belong to workers of the queue. */
    countWorkers: (clientNames: readonly string[]): number =>
      clientNames.filter((name) => name === workerConnection || name.startsWith(`${workerConnection}:w:`)).length,
  };
}

/**
 * KEYS: the parts of a queue. Returns counts of them. A script, not a transaction: a full Redis refuses transactions, even
 * those that only read, and that is when somebody looks. Jobs are added at the head and taken from the tail; before version
 * 6, a paused queue kept its jobs in another list.
 */
const readScript = `
return {
  redis.call('GET', KEYS[1]), redis.call('LLEN', KEYS[2]), redis.call('LLEN', KEYS[3]), redis.call('ZCARD', KEYS[4]),
  redis.call('ZCARD', KEYS[5]), redis.call('LLEN', KEYS[6]), redis.call('ZCARD', KEYS[7]),
  redis.call('HGET', KEYS[8], 'paused'), redis.call('LINDEX', KEYS[2], -1), redis.call('LINDEX', KEYS[3], -1)
}`;

/**
 * Reads a queue at one moment, so that its numbers are consistent, with commands whose cost does not depend on its length.
 * Plain commands: BullMQ's own Queue would write its version and options into the queue when opened.
 *
 * @throws the error of Redis or of its client
 */
export async function readQueue(
  redis: Redis,
  { queue, namespace }: { queue: QueueName; namespace: string },
): Promise<QueueReading> {
  const key = queueKeys(queue, namespace).of;
  const keys = ['id', 'wait', 'paused', 'prioritized', 'delayed', 'active', 'failed', 'meta'].map(key);
  const replies = (await redis.eval(readScript, keys.length, ...keys)) as (string | number | null)[];
  const [added, wait, paused, prioritized, delayed, active, failed, isPaused, oldest, oldestPaused] = replies;
  const oldestId = oldest ?? oldestPaused;
  const addedAt = typeof oldestId === 'string' ? await redis.hget(key(oldestId), 'timestamp') : null;
  return {
    added: Number(added ?? 0),
    waiting: Number(wait) + Number(paused) + Number(prioritized),
    active: Number(active),
    delayed: Number(delayed),
    failed: Number(failed),
    isPaused: isPaused != null,
    // Other producers may leave it out, or write something that is not a time.
    oldestAddedAtMs: addedAt === null || !Number.isFinite(Number(addedAt)) ? null : Number(addedAt),
  };
}

/** @throws Redis' error if one of the keys cannot be read */
export async function readQueueFacts(
  redis: Redis,
  { nowMs, ...options }: { queue: QueueName; namespace: string; nowMs: number },
): Promise<QueueFacts> {
  const key = queueKeys(options.queue, options.namespace).of;
  const [reading, [library = null, eventsKept = null], events] = await Promise.all([
    readQueue(redis, options),
    redis.hmget(key('meta'), 'version', 'opts.maxLenEvents'),
    redis.xlen(key('events')),
  ]);
  const { added, isPaused, oldestAddedAtMs, ...jobs } = reading;
  return {
    ...jobs,
    library,
    paused: isPaused,
    oldestWaitSeconds: ageSeconds(oldestAddedAtMs, nowMs),
    events,
    eventsKept: eventsKept === null ? null : Number(eventsKept),
  };
}

/** How long ago a job was added. Clocks differ, so a time in the future counts as now. */
export function ageSeconds(addedAtMs: number | null, nowMs: number): number | null {
  return addedAtMs === null ? null : Math.max(0, nowMs - addedAtMs) / 1_000;
}
