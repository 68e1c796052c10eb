import { fieldOf, readFields, type StreamFields } from '../../../shared/contracts/health-event.ts';
import { replayDeadLetterField } from '../../../shared/contracts/stream-dead-letter.ts';
import { type BoundedEntry, maxEntryBytes, readBounded } from '../../../shared/platform/redis/bounded-stream-read.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { type StreamFacts, toStreamFacts } from '../../../shared/platform/redis/stream-facts.ts';
import { readNextEntry } from '../next-entry.ts';

/** Entries after a place, and what the stream was like at that very moment. */
export interface StreamRead {
  entries: BoundedEntry[];
  /** whether there was nothing after them */
  isAtEnd: boolean;
  /** null: there is no such stream; undefined: it was not asked for, as the answer is dear */
  facts: StreamFacts | null | undefined;
  /** the server's clock, in ms since 1970 */
  serverMs: number;
}

const names = [...readFields, replayDeadLetterField];

/**
 * To describe a stream, Redis copies its first and its last entry. That costs some microseconds, or a second when they are
 * as large as it allows: then it is asked for less often, so that this takes a small part of the server's time.
 */
const infoBytesPerMs = 4_000;

/**
 * Reads a stream on a connection of its own, some megabytes at a time, whatever is in it. A read and the server's account of
 * the stream are of one moment, so that no entry can be removed unseen between the two; waiting for the next entry is another call.
 */
export function createStreamReader(redis: Redis, stream: string) {
  let wantsInfoAtMs = 0;
  return {
    async read(afterId: string, limit: number): Promise<StreamRead> {
      const wantsInfo = performance.now() >= wantsInfoAtMs;
      const wanted = { afterId, maxEntries: limit, names, wantsInfo };
      const { entries, isAtEnd, info, infoBytes, serverMs } = await readBounded(redis, stream, wanted);
      if (wantsInfo) wantsInfoAtMs = performance.now() + infoBytes / infoBytesPerMs;
      const facts = !wantsInfo ? undefined : info === null ? null : toStreamFacts(info);
      return { entries, isAtEnd, facts, serverMs };
    },

    /** All fields of an entry, however large it is; null when it is there no more. */
    async whole(id: string): Promise<StreamFields | null> {
      const [entry] = await redis.xrange(stream, id, id);
      return entry?.[1] ?? null;
    },

    /**
     * Resolves when there is an entry after `afterId`, or after `forMs`.
     *
     * @returns the game of the entry; null where none came, or where it is not to be had or too long
     */
    async wait(afterId: string, forMs: number): Promise<string | null> {
      const next = await readNextEntry(redis, stream, afterId, Math.max(1, Math.floor(forMs)));
      if (next === null || next === 'too large') return null;
      const gameId = fieldOf(next[1], 'game_id') ?? null;
      return gameId !== null && gameId.length > maxEntryBytes ? null : gameId;
    },
  };
}

export type StreamReader = ReturnType<typeof createStreamReader>;
