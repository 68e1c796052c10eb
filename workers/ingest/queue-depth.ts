import type { ShardName } from '../../shared/contracts/queues.ts';
import { answerWithin } from '../../shared/platform/deadline.ts';
import { ageSeconds, type QueueReading, readQueue, sumReadings } from '../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';

/** A queue as the gauges of a worker tell of it: the sum of its shards. */
export interface QueueDepth extends Pick<QueueReading, 'waiting' | 'active' | 'delayed' | 'failed'> {
  /** jobs that wait where nobody holds them back, in shards that answer now and are usable */
  takeable: number;
  oldestWaitSeconds: number;
}

const answerWithinMs = 1_000;

/**
 * Reads a queue for the metrics. A scrape must not hang with Redis, so the answer is null when no shard gives one in a second.
 * When some do not, they count as they were when they last did: nobody takes their jobs, and the oldest of them gets older.
 *
 * Those who ask at the same time, as the gauges of one scrape do, get the same answer.
 */
export function createQueueDepth(options: {
  redis: Redis;
  shards: () => readonly ShardName[];
  /** whether jobs of a shard can be taken */
  isUsable(shard: ShardName): boolean;
  namespace: string;
  now: () => number;
}) {
  const { redis, shards, isUsable, namespace, now } = options;
  const lastRead = new Map<ShardName, QueueReading>();
  /** One question a shard at a time: those to a server that is away would pile up. */
  const readers = new Map<ShardName, () => Promise<QueueReading>>();

  const readShard = async (shard: ShardName): Promise<QueueReading | null> => {
    const read = readers.get(shard) ?? singleFlight(() => readQueue(redis, { queue: shard, namespace }));
    readers.set(shard, read);
    const reading = await answerWithin(answerWithinMs, read);
    if (reading !== null) lastRead.set(shard, reading);
    return reading;
  };

  return singleFlight(async (): Promise<QueueDepth | null> => {
    const asked = shards();
    const answers = await Promise.all(asked.map(readShard));
    if (answers.every((answer) => answer === null)) return null;
    const takeable = answers.reduce((sum, answer, index) => {
      const isTakeable = answer !== null && !answer.isHeldBack && isUsable(asked[index] as ShardName);
      return isTakeable ? sum + answer.waiting : sum;
    }, 0);
    const { waiting, active, delayed, failed, oldestAddedAtMs } = sumReadings(
      asked.flatMap((shard) => lastRead.get(shard) ?? []),
    );
    const oldestWaitSeconds = ageSeconds(oldestAddedAtMs, now()) ?? 0;
    return { takeable, waiting, active, delayed, failed, oldestWaitSeconds };
  });
}
