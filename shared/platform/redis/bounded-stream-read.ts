import { boundedReadScript } from './bounded-stream-read-script.ts';
import type { Redis } from './redis.ts';

/** What the server leaves out of an entry that is larger than `maxEntryBytes`. */
export interface EntryCut {
  /** of all names and values */
  bytes: number;
  /** of the fields that were asked for, those that there was no room for */
  tooLong: { name: string; bytes: number }[];
}

/** An entry of a stream, `maxEntryBytes` at most. */
export interface BoundedEntry {
  id: string;
  /** names and values in turn; without some when the entry was cut, and without any when only ids are asked for */
  fields: readonly string[];
  /** null: the fields are all that the entry has, or were not asked for */
  cut: EntryCut | null;
}

/** Entries after a place, and what the stream was like at that very moment. */
export interface BoundedRead {
  entries: BoundedEntry[];
  /** whether there is nothing after them; of no meaning when no entry was asked for */
  isAtEnd: boolean;
  /** XINFO STREAM, with only the ids of the first and the last entry; null: there is no such stream, or it was not asked for */
  info: unknown[] | null;
  /** bytes of these two entries, which the server has to copy in order to answer; 0 when it was not asked */
  infoBytes: number;
  /** the server's clock, in ms since 1970 */
  serverMs: number;
}

export interface BoundedReadOptions {
  afterId: string;
  maxEntries: number;
  /** the fields to keep first when an entry has to be cut; null: only ids are wanted */
  names: readonly string[] | null;
  wantsInfo: boolean;
}

/** An entry up to this size comes as it is. */
export const maxEntryBytes = 16 * 1_024;
/** What the server looks through in one call; the entry that goes beyond it is still read, unless the description was that large. */
const maxScannedBytes = 8 * 1_024 * 1_024;

type EntryReply = [id: string, fields?: string[], bytes?: number, ...namesAndBytes: (string | number)[]];
type Reply = [
  info: unknown[] | null,
  infoBytes: number,
  entries: EntryReply[],
  isAtEnd: number,
  seconds: string,
  microseconds: string,
];

/**
 * Reads a stream without ever being sent more than some megabytes, whatever is in it: the server looks at the entries, and
 * sends no more of each than `maxEntryBytes`. All of a call is of one moment.
 *
 * @throws ReplyError when the key is something else, `afterId` is no place, or the user may not run scripts
 */
export async function readBounded(
  redis: Redis,
  stream: string,
  { afterId, maxEntries, names, wantsInfo }: BoundedReadOptions,
): Promise<BoundedRead> {
  const limits = [maxEntries, maxScannedBytes, maxEntryBytes].map(String);
  const wanted = [wantsInfo ? 'info' : '', names === null ? 'ids' : 'fields', ...(names ?? [])];
  const reply = (await evaluate(redis, [boundedReadScript, 1, stream, afterId, ...limits, ...wanted])) as Reply;
  const [info, infoBytes, entries, isAtEnd, seconds, microseconds] = reply;
  return {
    entries: entries.map(toEntry),
    isAtEnd: isAtEnd === 1,
    info,
    infoBytes,
    serverMs: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000),
  };
}

/** Servers that do not know EVAL_RO, as it came with Redis 7, or users that may not use it. */
const withoutReadOnly = new WeakSet<Redis>();

/** As a script that only reads: the server runs it also where and while it takes no writes. */
async function evaluate(redis: Redis, args: (string | number)[]): Promise<unknown> {
  if (withoutReadOnly.has(redis)) return redis.call('EVAL', args);
  try {
    return await redis.call('EVAL_RO', args);
  } catch (error) {
    const isRefused = error instanceof Error && /^(ERR unknown command|NOPERM)\b.*\beval_ro\b/i.test(error.message);
    if (!isRefused) throw error;
    withoutReadOnly.add(redis);
    return redis.call('EVAL', args);
  }
}

function toEntry([id, fields = [], bytes, ...namesAndBytes]: EntryReply): BoundedEntry {
  if (bytes === undefined) return { id, fields, cut: null };
  const tooLong: EntryCut['tooLong'] = [];
  for (let at = 0; at + 1 < namesAndBytes.length; at += 2)
    tooLong.push({ name: String(namesAndBytes[at]), bytes: Number(namesAndBytes[at + 1]) });
  return { id, fields, cut: { bytes, tooLong } };
}
