import type { Redis } from '../../shared/redis.ts';
import { isNoSuchKey, type StreamFacts, toStreamFacts } from '../../shared/stream-facts.ts';

/** Entries after a place, and what the stream was like at that very moment. */
export interface StreamRead {
  entries: [id: string, fields: string[]][];
  /** null: there is no such stream */
  facts: StreamFacts | null;
  /** the server's clock, in ms since 1970 */
  serverMs: number;
}

/**
 * Reads a stream on a connection of its own. A read and the server's account of the stream are of one moment, so that no
 * entry can be removed unseen between the two; waiting for the next entry is another call.
 */
export function createStreamReader(redis: Redis, stream: string) {
  return {
    async read(afterId: string, limit: number): Promise<StreamRead> {
      const replies = await redis
        .multi()
        .xinfo('STREAM', stream)
        .xread('COUNT', limit, 'STREAMS', stream, afterId)
        .time()
        .exec();
      const [info, read, time] = replies ?? [];
      if (info === undefined || read === undefined || time === undefined)
        throw new Error('Redis gave up the transaction that reads the stream');
      const failure = [info[0] !== null && !isNoSuchKey(info[0]) ? info[0] : null, read[0], time[0]].find(Boolean);
      if (failure) throw failure;
      const streams = read[1] as [string, StreamRead['entries']][] | null;
      const [seconds, microseconds] = time[1] as [string, string];
      return {
        entries: streams?.[0]?.[1] ?? [],
        facts: info[0] === null ? toStreamFacts(info[1]) : null,
        serverMs: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000),
      };
    },

    /** Resolves when there is an entry after `afterId`, or after `forMs`. */
    async wait(afterId: string, forMs: number): Promise<void> {
      await redis.xread('COUNT', 1, 'BLOCK', Math.max(1, Math.floor(forMs)), 'STREAMS', stream, afterId);
    },
  };
}

export type StreamReader = ReturnType<typeof createStreamReader>;
