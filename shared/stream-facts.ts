import { compareStreamIds, firstStreamId } from './contracts/stream-id.ts';
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
  try {
    return toStreamFacts(await redis.xinfo('STREAM', stream));
  } catch (error) {
    if (isNoSuchKey(error)) return null;
    throw error;
  }
}

export function isNoSuchKey(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('ERR no such key');
}

/** @param reply of XINFO STREAM */
export function toStreamFacts(reply: unknown): StreamFacts {
  const fields = new Map<unknown, unknown>();
  const list = reply as unknown[];
  for (let at = 0; at < list.length; at += 2) fields.set(list[at], list[at + 1]);
  const first = fields.get('first-entry');
  const added = fields.get('entries-added');
  return {
    length: Number(fields.get('length')),
    entriesAdded: typeof added === 'number' ? added : null,
    lastId: String(fields.get('last-generated-id')),
    firstId: Array.isArray(first) ? String(first[0]) : null,
  };
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
  let from = `(${id}`;
  for (;;) {
    const page = await redis.xrange(stream, from, lastId, 'COUNT', idsPerPage);
    after += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < idsPerPage) return entriesAdded - after;
    from = `(${last[0]}`;
  }
}
