import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { chunkId, chunkVersion, spanChunkVersion } from '../../shared/contracts/chunk.ts';
import type { Entry, RecordBuffer } from './record-buffer.ts';

/** A chunk ready to be sent: its text never changes again, however often it is sent. */
export interface OutgoingChunk<E extends Entry = Entry> {
  /** the job id */
  id: string;
  /** the job data, as JSON */
  data: string;
  entries: readonly E[];
}

/** When a chunk is full. */
export interface ChunkLimits {
  maxRecords: number;
  /** of its records together */
  maxBytes: number;
}

/** One life of a producer; stamps its chunks. */
export interface ProducerIdentity {
  producer: string;
  /** ms since 1970 */
  epoch: number;
  /** random letters and digits */
  life: string;
}

/** A name for this process that another one will not have: the host's name and some random characters. */
export function createProducerName(): string {
  const host =
    hostname()
      .replace(/[^A-Za-z0-9-]/g, '-')
      .slice(0, 40) || 'host';
  return `${host}-${randomBytes(5).toString('hex')}`;
}

/** Cuts chunks off the buffer and numbers them. */
export function createChunker<E extends Entry>(
  buffer: RecordBuffer<E>,
  limits: ChunkLimits,
  identity: ProducerIdentity,
) {
  let lastSeq = 0;
  return {
    /** Whether what waits fills a chunk. */
    get hasFullChunk(): boolean {
      const { records, bytes } = buffer.waiting;
      return records >= limits.maxRecords || bytes >= limits.maxBytes;
    },
    /** The next chunk, full or not; null when nothing waits. */
    next(): OutgoingChunk<E> | null {
      const entries = buffer.take(limits);
      if (entries.length === 0) return null;
      lastSeq += 1;
      const v = entries.some(({ hasSpan }) => hasSpan === true) ? spanChunkVersion : chunkVersion;
      const header = { v, ...identity, seq: lastSeq };
      // The records are JSON already; only the envelope is made here.
      const data = `${JSON.stringify(header).slice(0, -1)},"records":[${entries.map((entry) => entry.json).join(',')}]}`;
      return { id: chunkId(header), data, entries };
    },
  };
}

export type Chunker<E extends Entry = Entry> = ReturnType<typeof createChunker<E>>;

/** How many records some chunks have together. */
export function countRecords(chunks: readonly OutgoingChunk[]): number {
  return chunks.reduce((sum, { entries }) => sum + entries.length, 0);
}
