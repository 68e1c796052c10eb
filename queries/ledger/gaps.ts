/**
 * The records of a life are numbered through by the headers of its chunks: a chunk says how many records came before it. So what a
 * worker has seen covers stretches of these numbers, and what lies between two stretches has not arrived.
 */

/** Where a stretch ends, or where one begins. */
export interface Edge {
  /** of the chunk that ends or begins here */
  seq: number;
  /** records of the life before this place */
  position: number;
  /** whether the whole chunk ends, or begins, here; false: a part of it lies beyond */
  isWhole: boolean;
  /** of the record next to it, in minutes since 1970 by the producer's clock; null: unknown */
  minute: number | null;
}

/** Records of a life that have not arrived, with the numbers of their chunks. */
export interface Gap {
  fromSeq: number;
  /** the last one */
  untilSeq: number;
  /** records of the life before it */
  start: number;
  end: number;
  /** the minutes of its neighbours, in whichever order; null: there is no neighbour */
  fromMinute: number | null;
  untilMinute: number | null;
}

/** The beginning of every life. */
export const beginning: Edge = { seq: 0, position: 0, isWhole: true, minute: null };

/** What lies between the end of a stretch and the beginning of the next one. Null: nothing. */
export function gapBetween(end: Edge, next: Edge): Gap | null {
  if (next.position <= end.position) return null;
  return {
    fromSeq: end.isWhole ? end.seq + 1 : end.seq,
    untilSeq: next.isWhole ? next.seq - 1 : next.seq,
    start: end.position,
    end: next.position,
    fromMinute: end.minute ?? next.minute,
    untilMinute: next.minute ?? end.minute,
  };
}

/** What a producer has put into chunks, by its last report, beyond the last one that arrived. Null: nothing. */
export function tailAfter(end: Edge, report: { lastSeq: number; chunkedRecords: number; minute: number }): Gap | null {
  const { lastSeq, chunkedRecords, minute } = report;
  return gapBetween(end, { seq: lastSeq + 1, position: chunkedRecords, isWhole: true, minute });
}

/** How many records are in a gap. */
export function recordsIn({ start, end }: Pick<Gap, 'start' | 'end'>): number {
  return end - start;
}
