import type { SpilledChunk } from './frame.ts';
import type { OwnDirectory } from './own-directory.ts';
import { readSegmentFile } from './segment-reader.ts';

/** A segment that nobody appends to any more. */
export interface SealedSegment {
  path: string;
  /** of the file; what an append that failed may have left behind them is not counted */
  bytes: number;
  /** written in this session: the records in it; null for those of earlier sessions, of which it is not known */
  ownRecords: number | null;
  /** the claimed directory that it is in; null when it is in our own */
  directory: string | null;
  /** the own directory that it is in, or in whose name its directory was claimed */
  holder: OwnDirectory;
  /** what was given out of it before, from its front: a reader that starts again leaves it out */
  done: { chunks: number; records: number };
}

/** Chunks to be sent, all of one segment. */
export interface SpillBatch {
  chunks: readonly SpilledChunk[];
  records: number;
  /** written in this session */
  isOwn: boolean;
}

/** What a segment turned out to hold besides chunks, when all of it has been read. */
export interface SegmentEnd {
  /** in stretches that are no intact frame */
  corruptBytes: number;
  /** written by a newer build, so nothing of it was read */
  isNewer: boolean;
}

/** Takes a segment batch by batch. */
export function createBatchReader(segment: SealedSegment, limits: { maxChunks: number; maxBytes: number }) {
  const parts = readSegmentFile(segment.path, segment.bytes);
  let toSkip = segment.done.chunks;
  const end: SegmentEnd = { corruptBytes: 0, isNewer: false };
  return {
    /** The next chunks, one at least; null at the end. @throws when the file cannot be read */
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
