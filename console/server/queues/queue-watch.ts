import { type QueueName, queueNames, type ShardName } from '../../../shared/contracts/queues.ts';
import { askShards, findLastingRefusal, partAnswers } from '../../../shared/platform/redis/ask-shards.ts';
import { type QueueReading, readQueue, sumReadings } from '../../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../../shared/platform/single-flight.ts';
import { type QueueSample, withSample } from './queue-history.ts';
import { type QueueRates, sumRates, toRates } from './rates.ts';
import type { ShardList } from './shard-list.ts';

/** The state of a shard. */
export interface WatchedShard extends QueueReading {
  shard: ShardName;
  /** its server did not answer now: this is the reading before */
  isStale: boolean;
}

/** The current state of a queue as a whole, and its rates. */
export interface WatchedQueue extends QueueReading {
  queue: QueueName;
  /** of the shards that were read now, over the last minute; null until each has two readings at least a second apart */
  rates: QueueRates | null;
  /** in their order; without those that were never read */
  shards: WatchedShard[];
  /** whether a server did not answer that has a shard, or may have one; of such a shard the reading before counts */
  isPartial: boolean;
}

/** The time over which rates are measured. */
const windowMs = 60_000;
const everyMs = 5_000;
const closestMs = 1_000;
const shardAnswersWithinMs = 900;

type TimedReading = QueueReading & { atMs: number };

/**
 * Reads the queues every five seconds, from `start` to `stop`. Keeps the readings of the last minute, and depth and age of
 * the last hour. While Redis is away there are no readings, and rates continue from the last one before. While a part of a cluster is
 * away, its shards count with the reading before.
 *
 * @param deps.elapsedMs a monotonic clock, in ms
 * @param deps.nowMs the clock of the samples. @default Date.now
 */
export function createQueueWatch(deps: {
  redis: Redis;
  namespace: string;
  shardList: ShardList;
  elapsedMs: () => number;
  nowMs?: () => number;
}) {
  const { redis, namespace, shardList, nowMs = Date.now } = deps;
  const pasts = new Map<QueueName, QueueSample[]>(queueNames.map((queue) => [queue, []]));
  /** the readings of each shard; rates are those of each shard, because one that is found later brings old jobs with it */
  const histories = new Map<ShardName, TimedReading[]>();
  const latest = new Map<ShardName, QueueReading>();
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;

  const askAll = async (queue: QueueName) => {
    const { shards, isComplete } = await shardList.of(queue);
    const answers = await askShards(shards, shardAnswersWithinMs, async (shard) => ({
      ...(await readQueue(redis, { queue: shard, namespace })),
      atMs: deps.elapsedMs(),
    }));
    return { queue, isComplete, ...partAnswers(answers), shards };
  };

  const noteReading = (shard: ShardName, reading: TimedReading): QueueRates | null => {
    const history = remember(histories.get(shard) ?? [], reading);
    histories.set(shard, history);
    const { atMs, ...now } = reading;
    latest.set(shard, now);
    const [first] = history;
    const isUsable = first !== undefined && atMs - first.atMs >= closestMs;
    return isUsable ? toRates(first, reading, atMs - first.atMs) : null;
  };

  const toWatched = ({ queue, isComplete, answered, silent, shards }: Awaited<ReturnType<typeof askAll>>) => {
    const rates = answered.map(({ shard, value }) => noteReading(shard, value));
    const readNow = new Set(answered.map(({ shard }) => shard));
    const watched = shards.flatMap((shard): WatchedShard[] => {
      const reading = latest.get(shard);
      return reading === undefined ? [] : [{ ...reading, shard, isStale: !readNow.has(shard) }];
    });
    const whole = sumReadings(watched);
    pasts.set(queue, withSample(pasts.get(queue) ?? [], whole, nowMs()));
    const isPartial = !isComplete || silent.length > 0;
    return { queue, ...whole, rates: sumRates(rates), shards: watched, isPartial };
  };

  /** @throws the error of Redis or of its client, if no shard of any queue can be read, or one is refused for good */
  const look = async (): Promise<WatchedQueue[]> => {
    const asked = await Promise.all(queueNames.map(askAll));
    const silent = asked.flatMap((queue) => queue.silent);
    const refusal = findLastingRefusal(silent);
    if (refusal !== null) throw refusal;
    if (silent[0] !== undefined && asked.every(({ answered }) => answered.length === 0)) throw silent[0].error;
    return asked.map(toWatched);
  };
  // One reading at a time: if a late one overtook another, the queue would seem to have been recreated.
  const lookAtAll = singleFlight(look);

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
