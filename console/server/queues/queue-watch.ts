import { type QueueReading, readQueue } from '../../../queries/queues/queue-facts.ts';
import { type QueueName, queueNames } from '../../../shared/contracts/queues.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { type QueueSample, withSample } from './queue-history.ts';
import { type QueueRates, toRates } from './rates.ts';

/** A queue as it is, and how it has been moving. */
export interface WatchedQueue extends QueueReading {
  queue: QueueName;
  /** of the last minute; null until there are two readings with a second between them */
  rates: QueueRates | null;
}

/** Over how long rates are measured. */
const windowMs = 60_000;
const everyMs = 5_000;
const closestMs = 1_000;

type TimedReading = QueueReading & { atMs: number };

/**
 * Reads the queues every five seconds, from `start` to `stop`, and keeps the readings of the last minute, and depth and age of the
 * last hour. While Redis is away there are none, and rates go on from the last one before.
 *
 * @param deps.elapsedMs a clock that is never set, in ms
 * @param deps.nowMs the clock of the samples. @default Date.now
 */
export function createQueueWatch(deps: {
  redis: Redis;
  namespace: string;
  elapsedMs: () => number;
  nowMs?: () => number;
}) {
  const { nowMs = Date.now } = deps;
  const pasts = new Map<QueueName, QueueSample[]>(queueNames.map((queue) => [queue, []]));
  const histories = new Map<QueueName, TimedReading[]>(queueNames.map((queue) => [queue, []]));
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;

  /** @throws what Redis answers, or that it does not */
  const look = async (queue: QueueName): Promise<WatchedQueue> => {
    const reading = { ...(await readQueue(deps.redis, { queue, namespace: deps.namespace })), atMs: deps.elapsedMs() };
    const history = remember(histories.get(queue) ?? [], reading);
    histories.set(queue, history);
    pasts.set(queue, withSample(pasts.get(queue) ?? [], reading, nowMs()));
    const { atMs, ...now } = reading;
    const [first] = history;
    const isUsable = first !== undefined && atMs - first.atMs >= closestMs;
    return { queue, ...now, rates: isUsable ? toRates(first, reading, atMs - first.atMs) : null };
  };
  // One look at a time: a reading that comes late would seem to be of a queue that was made anew.
  let looking: Promise<WatchedQueue[]> | null = null;
  const lookAtAll = (): Promise<WatchedQueue[]> => {
    looking ??= Promise.all(queueNames.map(look)).finally(() => {
      looking = null;
    });
    return looking;
  };

  return {
    /** All queues as they are now; those who ask at the same time get the same answer. */
    read: lookAtAll,
    /** Depth and age of a queue over the last hour, the oldest first; since this process began. */
    pastOf: (queue: QueueName): readonly QueueSample[] => pasts.get(queue) ?? [],
    start(): void {
      if (timer !== null || isStopped) return;
      const tick = (): void => void lookAtAll().catch(() => undefined);
      tick();
      timer = setInterval(tick, everyMs).unref();
    },
    stop(): void {
      isStopped = true;
      if (timer !== null) clearInterval(timer);
    },
  };
}

export type QueueWatch = ReturnType<typeof createQueueWatch>;

/**
 * A history with one more reading. It keeps one that is at least as old as the window, so that rates are always of a whole
 * one; it begins anew when the queue does; and however often somebody asks, readings are a second apart.
 */
export function remember<T extends { atMs: number; added: number }>(history: readonly T[], reading: T): T[] {
  const last = history.at(-1);
  if (last !== undefined && reading.added < last.added) return [reading];
  const firstWithin = history.findIndex(({ atMs }) => reading.atMs - atMs < windowMs);
  const from = firstWithin === -1 ? history.length - 1 : firstWithin - 1;
  const isClose = last !== undefined && reading.atMs - last.atMs < closestMs;
  return [...history.slice(Math.max(0, from)), ...(isClose ? [] : [reading])];
}
