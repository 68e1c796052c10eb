import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { chunkVersion, ledgerChunkVersion, spanChunkVersion } from '../../shared/contracts/chunk.ts';
import { type ChunkNumbers, createNumbers } from './chunk-numbers.ts';
import { OutgoingChunk, type SettledChunk } from './outgoing-chunk.ts';
import type { Entry, Part, RecordBuffer } from './record-buffer.ts';
import { tallyRuns, toRecordRuns } from './tally.ts';

/** The size of a full chunk. */
export interface ChunkLimits {
  maxRecords: number;
  /** of all its records */
  maxBytes: number;
}

/** One session of a producer: one observer or sender from its creation to its end. Part of each of its chunks. */
export interface ProducerIdentity {
  producer: string;
  /** ms since 1970 */
  epoch: number;
  /** random letters and digits that tell sessions apart; the name of the field in a chunk */
  life: string;
}

/** Creates a unique name for this process: the host's name and some random characters. */
export function createProducerName(): string {
  const host =
    hostname()
      .replace(/[^A-Za-z0-9-]/g, '-')
      .slice(0, 40) || 'host';
  return `${host}-${randomBytes(5).toString('hex')}`;
}

/** Takes chunks from the buffer and numbers them. */
export function createChunker<E extends Entry>(
  buffer: Pick<RecordBuffer<E>, 'waitingOf' | 'take'>,
  limits: ChunkLimits,
  identity: ProducerIdentity,
  numbers: ChunkNumbers = createNumbers(),
) {
  return {
    /** Whether anything waits. */
    hasWaiting(part: Part = 'all'): boolean {
      return buffer.waitingOf(part).records > 0;
    },
    /** Whether enough waits to fill a chunk. */
    hasFullChunk(part: Part = 'all'): boolean {
      const { records, bytes } = buffer.waitingOf(part);
      return records >= limits.maxRecords || bytes >= limits.maxBytes;
    },
    /** Returns the next chunk, full or not, or null if nothing waits. */
    next(part: Part = 'all'): OutgoingChunk<E> | null {
      const entries = buffer.take(limits, part);
      if (entries.length === 0) return null;
      const runs = tallyRuns(entries);
      const { seq, before } = numbers.next(entries.length);
      for (const { tally } of entries) tally?.chunk();
      if (runs !== null)
        return new OutgoingChunk({ v: ledgerChunkVersion, ...identity, seq, before, of: toRecordRuns(runs) }, entries);
      const v = entries.some(({ record }) => record.hasSpan) ? spanChunkVersion : chunkVersion;
      return new OutgoingChunk({ v, ...identity, seq }, entries);
    },
    /** Returns all that waits, without making chunks of it. */
    takeAll(): E[] {
      return buffer.take({ maxRecords: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY });
    },
  };
}

export type Chunker<E extends Entry = Entry> = ReturnType<typeof createChunker<E>>;

/** Counts the records of several chunks. */
export function countRecords(chunks: readonly Pick<SettledChunk, 'entries'>[]): number {
  return chunks.reduce((sum, { entries }) => sum + entries.length, 0);
}
