import { NumberRanges } from './number-ranges.ts';

/** The place of a chunk in its session. */
export interface ChunkNumber {
  /** 1, 2, 3, … */
  seq: number;
  /** records in the earlier chunks */
  before: number;
}

/** Numbers chunks and counts their records: the chunkers of one session do so together. Knows which of them Redis does not have yet. */
export function createNumbers() {
  const unacknowledged = new NumberRanges();
  let seq = 0;
  let records = 0;
  return {
    /** @param size how many records the chunk has */
    next(size: number): ChunkNumber {
      seq += 1;
      const number = { seq, before: records };
      records += size;
      unacknowledged.add(seq);
      return number;
    },
    /** of the last chunk; 0: there is none */
    get lastSeq(): number {
      return seq;
    },
    /** in all chunks */
    get records(): number {
      return records;
    },
    /** the numbers of chunks that Redis has not acknowledged, and that may still get there from here */
    unacknowledged,
  };
}

export type ChunkNumbers = ReturnType<typeof createNumbers>;

/** The number of a chunk, by its id. */
export function seqOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('.') + 1));
}
