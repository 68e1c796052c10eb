import { setImmediate as nextTurn } from 'node:timers/promises';
import { maxShards, type QueueName, type ShardName, shardIndex } from '../../shared/contracts/queues.ts';
import { answerWithin, pause } from '../../shared/platform/deadline.ts';
import { findShards, shardKey } from '../../shared/platform/redis/find-shards.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';

const everyMs = 2_000;
const answerWithinMs = 1_000;

/** Every so many looks all shards are asked for: every half minute. */
const looksToAll = 15;
const leastAhead = 8;

/**
 * How many shards a look asks for. A queue grows by the next shards, so the others are asked for now and then only: a hundred
 * workers that asked for all of them each time would cost Redis a tenth of its core.
 *
 * @param look the number of the look, from 0
 */
export function shardsToAskFor(known: readonly ShardName[], look: number): number {
  if (look % looksToAll === 0) return maxShards;
  const count = Math.max(...known.map(shardIndex)) + 1;
  return Math.min(maxShards, count + Math.max(leastAhead, count));
}

/**
 * Looks every two seconds which shards a queue has (see `shardsToAskFor`), and which of them have a server that does not answer.
 *
 * @param options.onFound told of each shard but the first one, once
 * @param options.onSilent told, after each look, of the shards whose server did not answer
 */
export function createShardWatch(options: {
  redis: Redis;
  queue: QueueName;
  namespace: string;
  onFound(shard: ShardName): void;
  onSilent(shards: readonly ShardName[]): void;
}) {
  const { redis, queue, namespace, onFound, onSilent } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let known: readonly ShardName[] = [queue];
  let looks = 0;
  let running: Promise<void> = Promise.resolve();

  /** Questions under way, by their keys: those to a server that is away would pile up. */
  const asked = new Map<string, () => Promise<number>>();
  const unanswered = new Set<string>();
  const exists = (key: string): Promise<number> => {
    const ask =
      asked.get(key) ??
      singleFlight(async () => {
        unanswered.add(key);
        return redis.exists(key).finally(() => unanswered.delete(key));
      });
    asked.set(key, ask);
    return ask();
  };
  const keyOf = (shard: ShardName): string => shardKey(shard, namespace);

  const look = async (): Promise<void> => {
    const upTo = shardsToAskFor(known, looks);
    looks += 1;
    const [found] = await Promise.all([
      findShards({ exists }, { queue, namespace, known, upTo }),
      answerWithin(answerWithinMs, () => exists(keyOf(queue))),
    ]);
    // When this process was held up, the answers are there, but nobody has read them yet.
    await nextTurn();
    if (signal.aborted) return;
    const added = found.filter((shard) => !known.includes(shard));
    known = [...known, ...added];
    for (const shard of added) onFound(shard);
    onSilent(known.filter((shard) => unanswered.has(keyOf(shard))));
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const begunAtMs = performance.now();
      await look();
      await pause(Math.max(0, everyMs - (performance.now() - begunAtMs)), signal);
    }
  };

  return {
    /** the shards that are known, the first one always */
    get known(): readonly ShardName[] {
      return known;
    },
    /** Resolves when the server of one of them answers. @throws when none does */
    askServers: () => Promise.any(known.map((shard) => exists(keyOf(shard)))),
    start(): void {
      running = run();
    },
    /** Resolves when no look goes on any more. */
    stop(): Promise<void> {
      stopping.abort();
      return running;
    },
  };
}
