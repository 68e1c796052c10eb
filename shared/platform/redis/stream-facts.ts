import { compareStreamIds, firstStreamId } from '../../contracts/stream-id.ts';
import { readBounded } from './bounded-stream-read.ts';
import type { Redis } from './redis.ts';

/** What a Redis says of one of its streams. */
export interface StreamFacts {
  /** entries that are in it */
  length: number;
  /** entries that were ever added to it; null when the server does not count them (before Redis 7) */
  entriesAdded: number | null;
  /** of the entry that was added last, whether it is still there or not */
  lastId: string;
  /** of the oldest entry that is there; null when none is */
  firstId: string | null;
}

/** @returns null when there is no such stream @throws ReplyError when the key is something else */
export async function readStreamFacts(redis: Redis, stream: string): Promise<StreamFacts | null> {
  const wanted = { afterId: firstStreamId, maxEntries: 0, names: null, wantsInfo: true };
  const { info } = await readBounded(redis, stream, wanted);
  return info === null ? null : toStreamFacts(info);
}

/** @param info XINFO STREAM, with ids in the place of entries */
export function toStreamFacts(info: readonly unknown[]): StreamFacts {
  const fields = new Map<unknown, unknown>();
  for (let at = 0; at < info.length; at += 2) fields.set(info[at], info[at + 1]);
  const first = fields.get('first-entry');
  const added = fields.get('entries-added');
  return {
    length: Number(fields.get('length')),
    entriesAdded: typeof added === 'number' ? added : null,
    lastId: String(fields.get('last-generated-id')),
    firstId: typeof first === 'string' ? first : null,
  };
}

/** The ids of the next entries after a place, `maxEntries` at most or fewer. */
async function readIds(redis: Redis, stream: string, afterId: string, maxEntries: number) {
  const wanted = { afterId, maxEntries, names: null, wantsInfo: false };
  const { entries, isAtEnd, serverMs } = await readBounded(redis, stream, wanted);
  return { ids: entries.map(({ id }) => id), isAtEnd, serverMs };
}

/** The first entry after a place, null when there is none, and the server's clock, in ms since 1970. */
export async function readNextId(redis: Redis, stream: string, afterId: string) {
  const { ids, serverMs } = await readIds(redis, stream, afterId, 1);
  return { id: ids[0] ?? null, serverMs };
}

const idsPerPage = 1_000;

/**
 * How many entries the stream has had up to and with `id`, from its birth: those that are gone, and those that are still
 * there. Reads the shorter way through the stream only as far as it must, a page at a time.
 *
 * @returns null when the server does not count entries
 */
export async function countEntriesThrough(
  redis: Redis,
  stream: string,
  facts: StreamFacts,
  id: string,
): Promise<number | null> {
  const { entriesAdded, length, firstId, lastId } = facts;
  if (entriesAdded === null) return null;
  if (compareStreamIds(id, lastId) >= 0) return entriesAdded;
  const removed = entriesAdded - length;
  if (id === firstStreamId) return 0;
  if (firstId === null || compareStreamIds(id, firstId) < 0) return removed;
  let after = 0;
  let from = id;
  for (;;) {
    const { ids, isAtEnd } = await readIds(redis, stream, from, idsPerPage);
    // What was added since is not among those that the facts count.
    const counted = ids.filter((each) => compareStreamIds(each, lastId) <= 0);
    after += counted.length;
    const last = counted.at(-1);
    if (last === undefined || isAtEnd || counted.length < ids.length) return entriesAdded - after;
    from = last;
  }
}
