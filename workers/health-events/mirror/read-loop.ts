import { readFields } from '../../../shared/contracts/health-event.ts';
import { firstStreamId } from '../../../shared/contracts/stream-id.ts';
import { unlessAborted, within } from '../../../shared/platform/deadline.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import { readBounded } from '../../../shared/platform/redis/bounded-stream-read.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { readNextEntry } from '../next-entry.ts';
import type { Entry, HandleEntry } from './entry-handler.ts';
import type { OffsetStore } from './offset-store.ts';

export interface LoopDeps {
  /** used by the loop alone, which blocks it, and closes it on abort */
  reader: Redis;
  stream: string;
  /** names the consumer in the offset store */
  label: string;
  /** how long the server waits for an entry before it says that there is none, in ms; a part of one is not sent */
  blockMs: number;
  /** how much longer than `blockMs` the server may take to say so, in ms */
  silenceMs: number;
  offsets: OffsetStore;
  handle: HandleEntry;
  logger: Logger;
}

/**
 * Hands over the entries after the saved offset, one at a time, for ever; after each that `handle` lets go it saves the
 * offset. One that `handle` holds on to is read again at once.
 *
 * @returns when it is aborted while it reads, or was before it began
 * @throws Error with a cause, over anything that goes wrong with the offset or with Redis, also where that is because it
 *   was aborted: then the entry at hand comes again in the next run
 */
export async function readEntries(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { reader, label, offsets, handle, logger } = deps;
  if (signal.aborted) return;
  let lastId =
    (await orFail('load its offset', () => unlessAborted(signal, () => offsets.load(label)))) ?? firstStreamId;
  logger.info({ block_timeout: `${deps.blockMs}ms`, start_entry_id: lastId }, 'health events consumer started');
  const close = (): void => reader.disconnect();
  signal.addEventListener('abort', close, { once: true });
  try {
    while (!signal.aborted) {
      for (const entry of await readAfter(deps, lastId, signal)) {
        if (!(await handle(entry, signal))) continue;
        await orFail('save its offset', () => unlessAborted(signal, () => offsets.save(label, entry.id)));
        lastId = entry.id;
      }
    }
  } finally {
    signal.removeEventListener('abort', close);
    logger.info('health events consumer stopped');
  }
}

/** The next entry, if one comes before the block is over; none when aborted. */
async function readAfter(deps: LoopDeps, lastId: string, signal: AbortSignal): Promise<readonly Entry[]> {
  const { reader, stream, blockMs } = deps;
  const silenceMs = blockMs + deps.silenceMs;
  const silent = (): never => {
    throw new Error(`Redis has not answered for ${silenceMs} ms`);
  };
  const read = async (): Promise<readonly Entry[]> => {
    const next = await readNextEntry(reader, stream, lastId, Math.trunc(blockMs));
    if (next === 'too large') return readLargeEntry(reader, stream, lastId);
    return next === null ? [] : [{ id: next[0], fields: next[1] }];
  };
  try {
    return await unlessAborted(signal, () => within(read(), silenceMs, silent));
  } catch (error) {
    if (signal.aborted) return [];
    throw failure('read its stream', error);
  }
}

/** The original takes in all of it; here only what of it is read, so that it fits into the memory of a container. */
async function readLargeEntry(reader: Redis, stream: string, afterId: string): Promise<readonly Entry[]> {
  await reader.connect();
  const wanted = { afterId, maxEntries: 1, names: readFields, wantsInfo: false };
  return (await readBounded(reader, stream, wanted)).entries;
}

async function orFail<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(what, error);
  }
}

function failure(what: string, cause: unknown): Error {
  return new Error(`the health events consumer could not ${what}`, { cause });
}
