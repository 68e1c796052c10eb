import { type QueueName, queueNames } from '../../../shared/contracts/queues.ts';
import { type QueueReading, readQueue } from '../../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../../shared/platform/single-flight.ts';
import { type QueueSample, withSample } from './queue-history.ts';
import { type QueueRates, toRates } from './rates.ts';

/** The current state of a queue, and its rates. */
export interface WatchedQueue extends QueueReading {
  queue: QueueName;
  /** over the last minute; null until there are two readings at least a second apart */
  rates: QueueRates | null;
}

/** The time over which rates are measured. */
const windowMs = 60_000;
const everyMs = 5_000;
const closestMs = 1_000;

type TimedReading = QueueReading & { atMs: number };

/**
 * Reads the queues every five seconds, from `start` to `stop`. Keeps the readings of the last minute, and depth and age of
 * the last hour. While Redis is away there are no readings, and rates continue from the last one before.
 *
 * @param deps.elapsedMs a monotonic clock, in ms
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

  /** @throws the error of Redis or of its client */
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
  // One reading at a time: if a late one overtook another, the queue would seem to have been recreated.
  const lookAtAll = singleFlight(() => Promise.all(queueNames.map(look)));

  return {
    /** All queues as they are now; concurrent callers share one answer. */
    read: lookAtAll,
    /** Depth and age of a queue over the last hour, oldest first; starts with this process. */
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
 * A history with one more reading. It keeps one reading at least as old as the window, so that rates always cover a whole
 * window. It starts again when the queue is recreated. However often somebody asks, readings are a second apart.
 */
export function remember<T extends { atMs: number; added: number }>(history: readonly T[], reading: T): T[] {
  const last = history.at(-1);
  if (last !== undefined && reading.added < last.added) return [reading];
  const firstWithin = history.findIndex(({ atMs }) => reading.atMs - atMs < windowMs);
  const from = firstWithin === -1 ? history.length - 1 : firstWithin - 1;
  const isClose = last !== undefined && reading.atMs - last.atMs < closestMs;
  return [...history.slice(Math.max(0, from)), ...(isClose ? [] : [reading])];
}
