import { rm } from 'node:fs/promises';
import { toError } from '../../shared/platform/errors.ts';
import { type BatchReader, createBatchReader, type SealedSegment, type SpillBatch } from './batch-reader.ts';
import { type OwnDirectory, removeDirectory } from './own-directory.ts';
import type { SegmentFile } from './session-directories.ts';

/** Callbacks of a queue of segments. */
export interface SegmentQueueOptions {
  /** Bytes on disk are no intact chunks. The number of records is known only for this session's own. */
  onLost(loss: { bytes: number; ownRecords: number }): void;
  /** Another session has taken over so many records of this one and sends them. */
  onTakenOver(ownRecords: number): void;
  /** Something is wrong with the disk or with a file. The spill goes on. */
  onTrouble(error: Error): void;
}

/** The size of a batch; a single chunk may be larger. */
const batchLimits = { maxChunks: 5, maxBytes: 4 * 1_048_576 };

/**
 * Reads sealed segments, oldest first. A segment is deleted once all its chunks are acknowledged, so a chunk may be replayed
 * twice but is never lost. A segment that cannot be read does not block the others.
 */
export function createSegmentQueue({ onLost, onTakenOver, onTrouble }: SegmentQueueOptions) {
  /** the first one is being read */
  const sealed: SealedSegment[] = [];
  const unreadable: SealedSegment[] = [];
  /** directories of earlier sessions by path, with the number of segments left in each */
  const claimed = new Map<string, number>();
  let bytes = 0;
  /** the number of segments left on disk for a newer version */
  let newer = 0;
  let reader: BatchReader | null = null;
  let taken: SpillBatch | null = null;
  let isClosed = false;

  const add = (segment: Omit<SealedSegment, 'done'>): void => {
    sealed.push({ ...segment, done: { chunks: 0, records: 0 } });
    bytes += segment.bytes;
  };

  const closeReader = async (): Promise<void> => {
    await reader?.close();
    reader = null;
  };

  /** The first segment has been read, and all its chunks are acknowledged. */
  const finish = async (segment: SealedSegment, { end }: BatchReader): Promise<void> => {
    await closeReader();
    if (end.isNewer) {
      // Its bytes still count: they are on disk.
      sealed.shift();
      newer += 1;
      onTrouble(new Error(`${segment.path} was written by a newer version and is left for that version`));
      return;
    }
    report(segment, end.corruptBytes);
    await rm(segment.path, { force: true }).catch((thrown: unknown) => onTrouble(toError(thrown)));
    await drop(segment);
  };

  /** The first segment cannot be read: it is gone, or the disk refuses. */
  const giveUp = async (segment: SealedSegment, error: Error): Promise<void> => {
    await closeReader();
    onTrouble(error);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      sealed.shift();
      unreadable.push(segment);
      return;
    }
    const left = (segment.ownRecords ?? 0) - segment.done.records;
    if ((await segment.holder.departure()) !== 'taken') report(segment, segment.bytes);
    else if (left > 0) onTakenOver(left);
    await drop(segment);
  };

  const report = ({ ownRecords: written, done }: SealedSegment, lostBytes: number): void => {
    const ownRecords = written === null ? 0 : written - done.records;
    if (lostBytes > 0 || ownRecords > 0) onLost({ bytes: lostBytes, ownRecords });
  };

  const drop = async (segment: SealedSegment): Promise<void> => {
    sealed.shift();
    bytes -= segment.bytes;
    if (segment.directory === null) return;
    const left = (claimed.get(segment.directory) ?? 0) - 1;
    claimed.set(segment.directory, left);
    if (left === 0) await leave(segment.directory);
  };

  const leave = async (directory: string): Promise<void> => {
    claimed.delete(directory);
    await removeDirectory(directory).catch((thrown: unknown) => onTrouble(toError(thrown)));
  };

  return {
    /** Bytes of all segments, including those that cannot be read now. */
    get bytes(): number {
      return bytes;
    },
    /** Whether `take` would return chunks. */
    get hasMore(): boolean {
      return taken !== null || sealed.length > 0;
    },
    get hasUnreadable(): boolean {
      return unreadable.length > 0;
    },
    /** Whether no segment is left on disk, readable or not. */
    get isEmpty(): boolean {
      return sealed.length === 0 && claimed.size === 0 && unreadable.length === 0 && newer === 0;
    },

    /** Appends a segment. */
    add,

    /** Appends the segments of a claimed directory. @param holder the directory in whose name it was claimed */
    async addClaimed(directory: string, segments: readonly SegmentFile[], holder: OwnDirectory): Promise<void> {
      claimed.set(directory, segments.length);
      for (const segment of segments) add({ ...segment, ownRecords: null, directory, holder });
      if (segments.length === 0) await leave(directory);
    },

    retryUnreadable(): void {
      sealed.push(...unreadable.splice(0));
    },

    /** See Spill.take. */
    async take(): Promise<SpillBatch | null> {
      for (let segment = sealed[0]; taken === null && segment !== undefined && !isClosed; segment = sealed[0]) {
        try {
          reader ??= createBatchReader(segment, batchLimits);
          taken = await reader.next();
          segment.done.chunks += taken?.chunks.length ?? 0;
          segment.done.records += taken?.records ?? 0;
          if (taken === null) await finish(segment, reader);
        } catch (thrown) {
          await giveUp(segment, toError(thrown));
        }
      }
      return taken;
    },

    /** See Spill.acknowledge. */
    acknowledge(): void {
      taken = null;
    },

    async close(): Promise<void> {
      isClosed = true;
      await closeReader();
    },
  };
}
