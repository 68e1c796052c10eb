import { QueueKeys } from 'bullmq';
import { queuePrefix, type ShardName } from '../../contracts/queues.ts';
import type { Redis } from './redis.ts';

/** The state of a queue, or of one of its shards, at one moment. All numbers are counts of jobs; each job is a chunk of records. */
export interface QueueReading {
  /** jobs that were ever added, by BullMQ's own counter; a job that was added again counts again */
  added: number;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  isPaused: boolean;
  /** whether somebody has paused the queue, or limited how many of its jobs all workers together may take */
  isHeldBack: boolean;
  /** when the job that has waited longest was added, in ms since 1970; null if none waits */
  oldestAddedAtMs: number | null;
}

/** A shard's keys, and the names of its workers' connections. */
export function queueKeys(queue: ShardName, namespace: string) {
  const prefix = queuePrefix(queue, namespace);
  const keys = new QueueKeys(prefix);
  const workerConnection = `${prefix}:${Buffer.from(queue).toString('base64')}`;
  return {
    of: (part: string) => keys.toKey(queue, part),
    /** BullMQ gives this name to the connection on which a worker waits for jobs, and appends the worker's own name if it has one. */
    workerConnection,
    /** How many Redis connections wait for jobs of the shard: one of each process that works on it. */
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
  redis.call('HGET', KEYS[8], 'paused'), redis.call('HGET', KEYS[8], 'concurrency'), redis.call('HGET', KEYS[8], 'max'),
  redis.call('LINDEX', KEYS[2], -1), redis.call('LINDEX', KEYS[3], -1)
}`;

/**
 * Reads a shard at one moment, so that its numbers are consistent, with commands whose cost does not depend on its length.
 * Plain commands: BullMQ's own Queue would write its version and options into the queue when opened.
 *
 * @throws the error of Redis or of its client
 */
export async function readQueue(
  redis: Redis,
  { queue, namespace }: { queue: ShardName; namespace: string },
): Promise<QueueReading> {
  const key = queueKeys(queue, namespace).of;
  const keys = ['id', 'wait', 'paused', 'prioritized', 'delayed', 'active', 'failed', 'meta'].map(key);
  const replies = (await redis.eval(readScript, keys.length, ...keys)) as (string | number | null)[];
  const [added, wait, paused, prioritized, delayed, active, failed, ...others] = replies;
  const [pausedAt, concurrency, maxPerTime, oldest, oldestPaused] = others;
  const oldestId = oldest ?? oldestPaused;
  // That alone: a whole job may be large.
  const addedAt = typeof oldestId === 'string' ? await redis.hget(key(oldestId), 'timestamp') : null;
  return {
    added: Number(added ?? 0),
    waiting: Number(wait) + Number(paused) + Number(prioritized),
    active: Number(active),
    delayed: Number(delayed),
    failed: Number(failed),
    isPaused: pausedAt != null,
    isHeldBack: [pausedAt, concurrency, maxPerTime].some((setting) => setting != null),
    // Other producers may leave it out, or write something that is not a time.
    oldestAddedAtMs: addedAt === null || !Number.isFinite(Number(addedAt)) ? null : Number(addedAt),
  };
}

/**
 * The readings of a queue's shards as one. Numbers of jobs are sums, and the oldest job is the oldest of all. It is paused when all its
 * shards are, because otherwise jobs are still taken; it is held back when any shard is, because then jobs may wait although workers
 * do all that they may.
 */
export function sumReadings(readings: readonly QueueReading[]): QueueReading {
  const sum = (count: (reading: QueueReading) => number): number =>
    readings.reduce((total, reading) => total + count(reading), 0);
  const oldest = readings.flatMap(({ oldestAddedAtMs }) => oldestAddedAtMs ?? []);
  return {
    added: sum(({ added }) => added),
    waiting: sum(({ waiting }) => waiting),
    active: sum(({ active }) => active),
    delayed: sum(({ delayed }) => delayed),
    failed: sum(({ failed }) => failed),
    isPaused: readings.length > 0 && readings.every(({ isPaused }) => isPaused),
    isHeldBack: readings.some(({ isHeldBack }) => isHeldBack),
    oldestAddedAtMs: oldest.length === 0 ? null : Math.min(...oldest),
  };
}

/** How long ago a job was added. Clocks differ, so a time in the future counts as now. */
export function ageSeconds(addedAtMs: number | null, nowMs: number): number | null {
  return addedAtMs === null ? null : Math.max(0, nowMs - addedAtMs) / 1_000;
}
