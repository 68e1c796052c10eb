import { compareStreamIds, firstStreamId } from '../../../shared/contracts/stream-id.ts';
import type { StreamFacts } from '../../../shared/platform/redis/stream-facts.ts';
import type { Position } from './stream-entry.ts';

/** Entries that were removed from a stream before they were read. */
export interface Gap {
  entries: number;
  /** the last entry that was read before them */
  afterId: string;
  /** the next one that is there; null when none is */
  beforeId: string | null;
}

/** What one read of the stream came to. */
export interface ReadAccount {
  /** where the reader stands after it */
  position: Position;
  gap: Gap | null;
  /** entries that are there and were not read yet; null when nobody has counted them */
  behind: number | null;
}

/**
 * Keeps the books of a read: `facts` and `ids` are of one moment. The server says how many entries there ever were and how
 * many are there, so every entry that is gone and was not read is found, whoever removed it and however.
 *
 * At the end of the stream all that were ever added are behind the reader, and what it has not read was lost. Before the
 * end, those that are gone are taken to be the oldest, as trimming removes them: when some were deleted one by one, the
 * end sets it right.
 *
 * @param facts undefined: not asked for; a read that does ask finds what was lost in the meantime
 * @param isAtEnd whether there was nothing after the ids
 */
export function accountFor(
  position: Position,
  facts: StreamFacts | null | undefined,
  ids: readonly string[],
  isAtEnd: boolean,
): ReadAccount {
  const lastId = ids.at(-1) ?? position.lastId;
  const { entriesRead } = position;
  if (facts === null) return { position, gap: null, behind: 0 };
  if (facts === undefined) {
    const counted = entriesRead === null ? null : entriesRead + ids.length;
    return { position: { lastId, entriesRead: counted }, gap: null, behind: isAtEnd ? 0 : null };
  }
  const { entriesAdded, length } = facts;
  // A server that does not count; or one that does now, and the end of the stream is a place to begin.
  if (entriesAdded === null) return { position: { lastId, entriesRead: null }, gap: null, behind: isAtEnd ? 0 : null };
  if (entriesRead === null)
    return { position: { lastId, entriesRead: isAtEnd ? entriesAdded : null }, gap: null, behind: isAtEnd ? 0 : null };
  const passed = isAtEnd ? entriesAdded - ids.length : Math.max(entriesRead, entriesAdded - length);
  const lost = Math.max(0, passed - entriesRead);
  return {
    position: { lastId, entriesRead: passed + ids.length },
    gap: lost === 0 ? null : { entries: lost, afterId: position.lastId, beforeId: ids[0] ?? null },
    behind: entriesAdded - passed - ids.length,
  };
}

/**
 * Whether what was read is not of this stream: it ends before the reader's place, or has had fewer entries than were read.
 * It was deleted and begun anew, or restored from an older copy.
 */
export function isAnotherStream({ lastId, entriesRead }: Position, facts: StreamFacts | null | undefined): boolean {
  if (facts === undefined) return false;
  // None at all: it may come back as it was, and nothing can be read of it meanwhile.
  if (facts === null) return false;
  if (compareStreamIds(lastId, facts.lastId) > 0) return lastId !== firstStreamId;
  return facts.entriesAdded !== null && entriesRead !== null && facts.entriesAdded < entriesRead;
}
