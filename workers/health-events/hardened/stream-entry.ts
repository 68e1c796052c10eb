import { compareStreamIds } from '../../../shared/contracts/stream-id.ts';
import type { BoundedEntry } from '../../../shared/platform/redis/bounded-stream-read.ts';

/** How far a stream was read. */
export interface Position {
  /** id of the last entry; `0-0` before the first */
  lastId: string;
  /** entries from the stream's birth to there, whether read or lost; null when the server does not count them */
  entriesRead: number | null;
}

export interface StreamEntry extends BoundedEntry {
  /** where the reader stood: what is saved while this entry is not dealt with */
  before: Position;
}

/** The place that comes first. */
export function earliest(place: Position, ...others: (Position | null)[]): Position {
  return others.reduce<Position>(
    (first, other) => (other !== null && compareStreamIds(other.lastId, first.lastId) < 0 ? other : first),
    place,
  );
}
