import type { SpilledChunk } from './frame.ts';
import type { OwnDirectory } from './own-directory.ts';
import { readSegmentFile } from './segment-reader.ts';

/** A segment that nothing more is appended to. */
export interface SealedSegment {
  path: string;
  /** of the file, without what a failed append may have left at its end */
  bytes: number;
  /** the records in it if this session wrote it; null for a segment of an earlier session, where it is not known */
  ownRecords: number | null;
  /** the claimed directory that it is in; null if it is in our own */
  directory: string | null;
  /** our directory: the one that it is in, or in whose name its directory was claimed */
  holder: OwnDirectory;
  /** what was already read; a new reader skips it */
  done: { chunks: number; records: number };
}

/** Chunks of one segment, to be sent together. */
export interface SpillBatch {
  chunks: readonly SpilledChunk[];
  records: number;
  /** written in this session */
  isOwn: boolean;
}

/** What a segment held besides chunks, known once all of it is read. */
export interface SegmentEnd {
  /** in ranges that are no intact frame */
  corruptBytes: number;
  /** written by a newer version, so nothing of it was read */
  isNewer: boolean;
}

/** Reads a segment batch by batch. */
export function createBatchReader(segment: SealedSegment, limits: { maxChunks: number; maxBytes: number }) {
  const parts = readSegmentFile(segment.path, segment.bytes);
  let toSkip = segment.done.chunks;
  const end: SegmentEnd = { corruptBytes: 0, isNewer: false };
  return {
    /** Returns the next chunks, at least one, or null at the end. @throws when the file cannot be read */
    async next(): Promise<SpillBatch | null> {
      const chunks: SpilledChunk[] = [];
      let bytes = 0;
      let records = 0;
      while (chunks.length < limits.maxChunks && bytes < limits.maxBytes) {
        const { value: part, done } = await parts.next();
        if (done) break;
        if (part.kind === 'corrupt') end.corruptBytes += part.bytes;
        if (part.kind === 'newer') end.isNewer = true;
        if (part.kind !== 'chunk') continue;
        toSkip -= 1;
        if (toSkip >= 0) continue;
        chunks.push(part.chunk);
        bytes += part.bytes;
        records += part.chunk.records;
      }
      return chunks.length === 0 ? null : { chunks, records, isOwn: segment.ownRecords !== null };
    },
    end,
    async close(): Promise<void> {
      await parts.return().catch(() => undefined);
    },
  };
}

export type BatchReader = ReturnType<typeof createBatchReader>;
