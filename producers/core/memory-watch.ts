import { endsWithin } from '../../shared/platform/lifecycle.ts';
import { isCluster, nodeOf } from '../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import {
  isAboveShare,
  type MemoryReading,
  parseMemoryInfo,
  planNextLookMs,
} from '../../shared/platform/redis/redis-memory.ts';

/** A server that takes longer to say how much memory it uses is not asked for it: then only its refusals count. */
const answerWithinMs = 1_000;

/** Thrown in place of adding to a Redis that uses more of its memory than producers may fill. Not an answer of the server. */
export class RedisNearlyFullError extends Error {
  override readonly name = 'RedisNearlyFullError';

  constructor({ usedBytes, maxBytes }: MemoryReading, share: number) {
    const percent = (part: number): number => Math.floor(part * 100);
    super(
      `Redis uses ${percent(usedBytes / maxBytes)} % of its memory, and producers add nothing above ${percent(share)} % (SLUICE_REDIS_MEMORY_SHARE): let workers catch up, or raise maxmemory`,
    );
  }
}

/** What is known of the memory of one server. */
export interface MemoryWatch {
  /** Has the watch look over this connection, too, for as long as it lasts. Resolves when there has been a look, or none came in time. */
  join(redis: Redis): Promise<void>;
  /** Ends that, also without an end of the connection. */
  leave(redis: Redis): void;
  /** the last reading; null when the server does not tell */
  readonly reading: MemoryReading | null;
}

/** By server and user: what is asked of a server is shared by all who add to it from this process. */
const watches = new Map<string, MemoryWatch>();

/**
 * The watch of the server that has a key, shared by all of this process that lead there. It looks while any of
 * them is open, every five seconds and up to ten times a second as memory fills, and never on the way of a send.
 */
export function watchMemoryOf(redis: Redis, key: string, share: number): MemoryWatch {
  const server = JSON.stringify(serverOf(redis, key));
  const watch = watches.get(server) ?? createMemoryWatch(key, share, () => watches.delete(server));
  watches.set(server, watch);
  return watch;
}

/** Of a cluster, only the server of a queue counts for it, and who that is may change. */
function serverOf(redis: Redis, key: string): unknown[] {
  if (isCluster(redis)) return [redis.options.redisOptions?.username, key];
  const { host, port, path, sentinels, name, username } = redis.options;
  return [host, port, path, sentinels, name, username];
}

function createMemoryWatch(key: string, share: number, onEnd: () => void): MemoryWatch {
  const connections = new Set<Redis>();
  let reading: MemoryReading | null = null;
  let readAtMs = 0;
  let looking: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const ask = async (): Promise<MemoryReading | null> => {
    const redis = [...connections].find(({ status }) => status === 'ready');
    if (redis === undefined) return null;
    const answer = nodeOf(redis, key)
      .then((node) => node.call('INFO', 'memory'))
      .then(
        (text) => parseMemoryInfo(String(text)),
        () => null,
      );
    return (await endsWithin(answer, answerWithinMs)) ? answer : null;
  };

  const look = async (): Promise<void> => {
    const before = reading;
    const beforeAtMs = readAtMs;
    reading = await ask();
    readAtMs = performance.now();
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (connections.size === 0) return;
    const nextMs = planNextLookMs(before, reading, { share, betweenMs: readAtMs - beforeAtMs });
    timer = setTimeout(() => void lookOnce(), nextMs).unref();
  };

  const lookOnce = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  };

  const leave = (redis: Redis): void => {
    if (!connections.delete(redis) || connections.size > 0) return;
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
      if (!connections.has(redis)) {
        connections.add(redis);
        redis.once('end', () => leave(redis));
        void lookOnce();
      }
      // Also those who come while the first look is under way.
      await looking;
    },
  };
}

/** @throws RedisNearlyFullError when more than the share is in use */
export function refuseAboveShare({ reading }: MemoryWatch, share: number): void {
  if (reading !== null && isAboveShare(reading, share)) throw new RedisNearlyFullError(reading, share);
}
