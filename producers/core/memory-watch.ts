import { answerWithin } from '../../shared/platform/deadline.ts';
import { isCluster, nodeOf, serverOf } from '../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import {
  isAboveShare,
  type MemoryReading,
  parseMemoryInfo,
  planNextLookMs,
} from '../../shared/platform/redis/redis-memory.ts';

/** If a server takes longer to report its memory, its usage counts as unknown, and only its refusals count. */
const answerWithinMs = 1_000;

/** The part of the share above which successes are held back: the rest of it is for failures. */
const successPart = 7 / 8;

/** Made by the producer itself when Redis uses more memory than producers may fill, or nearly so much. */
export class RedisNearlyFullError extends Error {
  override readonly name = 'RedisNearlyFullError';

  constructor({ usedBytes, maxBytes }: MemoryReading, share: number) {
    const percent = (part: number): number => Math.floor(part * 100);
    super(
      `Redis uses ${percent(usedBytes / maxBytes)} % of its memory, and producers add nothing above ${percent(share)} % (SLUICE_REDIS_MEMORY_SHARE): let workers catch up, or raise maxmemory`,
    );
  }
}

/** Watches the memory of one server. */
export interface MemoryWatch {
  /** Adds a connection to read over until it ends. Resolves after a reading, or when none came in time. */
  join(redis: Redis): Promise<void>;
  /** Removes a connection, even if it has not ended. */
  leave(redis: Redis): void;
  /** the last reading; null if the server does not report it */
  readonly reading: MemoryReading | null;
}

/** By server and user: all producers of this process that add to a server share its watch. */
const watches = new Map<string, MemoryWatch>();

/**
 * Returns the watch of the server that has a key, which all connections of this process to that server share. While any of them
 * is open, it reads every five seconds, and up to ten times a second as memory fills. A send never waits for it.
 */
export function watchMemoryOf(redis: Redis, key: string, share: number): MemoryWatch {
  const identity = JSON.stringify(serverIdentity(redis, key));
  const watch = watches.get(identity) ?? createMemoryWatch(redis, key, share, () => watches.delete(identity));
  watches.set(identity, watch);
  return watch;
}

/** In a cluster, only the server of the key counts. Which one that is may change: whoever adds to a key asks for its watch again. */
function serverIdentity(redis: Redis, key: string): unknown[] {
  if (isCluster(redis)) return [redis.options.redisOptions?.username, serverOf(redis, key) || key];
  const { host, port, path, sentinels, name, username } = redis.options;
  return [host, port, path, sentinels, name, username];
}

function createMemoryWatch(first: Redis, key: string, share: number, onEnd: () => void): MemoryWatch {
  const server = serverOf(first, key);
  /** each with what is told of its end */
  const connections = new Map<Redis, () => void>();
  let reading: MemoryReading | null = null;
  let readAtMs = 0;
  let looking: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const ask = async (): Promise<MemoryReading | null> => {
    const redis = [...connections.keys()].find(({ status }) => status === 'ready');
    if (redis === undefined) return null;
    return answerWithin(answerWithinMs, async () => {
      const node = await nodeOf(redis, key, server);
      return parseMemoryInfo(String(await node.call('INFO', 'memory')));
    });
  };

  const look = async (): Promise<void> => {
    const before = reading;
    const beforeAtMs = readAtMs;
    reading = await ask();
    readAtMs = performance.now();
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (connections.size === 0) return;
    const betweenMs = readAtMs - beforeAtMs;
    const nextMs = Math.min(
      ...[share * successPart, share].map((bound) => planNextLookMs(before, reading, { share: bound, betweenMs })),
    );
    timer = setTimeout(() => void lookOnce(), nextMs).unref();
  };

  const lookOnce = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  };

  const leave = (redis: Redis): void => {
    const onceEnded = connections.get(redis);
    if (onceEnded === undefined) return;
    redis.off('end', onceEnded);
    connections.delete(redis);
    if (connections.size > 0) return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    onEnd();
  };

  return {
    get reading(): MemoryReading | null {
      return reading;
    },
    leave,
    async join(redis: Redis): Promise<void> {
      // Of one that has ended nobody would tell the end.
      if (!connections.has(redis) && redis.status !== 'end') {
        const onceEnded = (): void => leave(redis);
        connections.set(redis, onceEnded);
        redis.once('end', onceEnded);
        void lookOnce();
      }
      // Also if the first reading is already under way.
      await looking;
    },
  };
}

/** Whether so much of the share is in use that successes are held back. */
export function isNearlyFull(reading: MemoryReading | null, share: number): reading is MemoryReading {
  return reading !== null && isAboveShare(reading, share * successPart);
}

/** @throws RedisNearlyFullError when more than the share is in use */
export function refuseAboveShare({ reading }: MemoryWatch, share: number): void {
  if (reading !== null && isAboveShare(reading, share)) throw new RedisNearlyFullError(reading, share);
}
