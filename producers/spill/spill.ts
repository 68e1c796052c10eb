import { mkdir } from 'node:fs/promises';
import { toError } from '../../shared/platform/errors.ts';
import type { SpillBatch } from './batch-reader.ts';
import { createSegmentLog, type SegmentLogOptions, type SpillableChunk } from './segment-log.ts';
import { createSegmentQueue, type SegmentQueueOptions } from './segment-queue.ts';
import { createSerial } from './serial.ts';
import { claim, createSessionFinder, listSegments } from './session-directories.ts';
import { type SpillTiming, spillTiming } from './timing.ts';

/** Settings of a spill, and its callbacks. */
export interface SpillOptions
  extends SegmentQueueOptions,
    Omit<SegmentLogOptions, 'timing' | 'hasRoomFor' | 'onSealed'> {
  /** bytes of all segments that this session wrote or claimed */
  maxBytes: number;
  /** @default spillTiming */
  timing?: SpillTiming;
  /** there is something to replay that this session did not append */
  onFound(): void;
}

/** The result of an append. If it was not written, nothing of it is on disk. */
export type AppendResult = { status: 'written' } | { status: 'full' } | { status: 'failed'; error: Error };

/**
 * A queue of chunks on disk, bounded by bytes. The oldest chunks come first, and those of earlier sessions come before those
 * of this one.
 *
 * Nothing here throws or blocks the event loop. Problems with the disk or with a segment are reported.
 */
export function createSpill(options: SpillOptions) {
  const { dir, maxBytes, timing = spillTiming, onTrouble } = options;
  const exclusively = createSerial();
  const findSessions = createSessionFinder(timing);
  const queue = createSegmentQueue(options);
  const log = createSegmentLog({
    ...options,
    timing,
    hasRoomFor: (bytes) => bytesHeld() + bytes <= maxBytes,
    onSealed: queue.add,
  });
  let closed = false;

  const bytesHeld = (): number => queue.bytes + log.bytes;

  const adopt = async (): Promise<void> => {
    if (closed) return;
    // At the start, too: a directory that cannot be created is reported before it is needed.
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const orphans = (await findSessions(dir, log.path)).filter(({ hasEnded }) => hasEnded);
    if (orphans.length === 0 && !queue.hasUnreadable) return;
    queue.retryUnreadable();
    const holder = await log.directory();
    for (const orphan of orphans) {
      try {
        const path = await claim(dir, orphan, holder.name);
        if (path !== null) await queue.addClaimed(path, await listSegments(path), holder);
      } catch (thrown) {
        onTrouble(toError(thrown));
      }
    }
    if (queue.hasMore) options.onFound();
    else await removeOwnWhenDone();
  };

  const removeOwnWhenDone = async (): Promise<void> => {
    if (queue.isEmpty) await log.remove();
  };

  const look = (): Promise<void> => exclusively(adopt).catch((thrown: unknown) => onTrouble(toError(thrown)));
  void look();
  const looking = setInterval(() => void look(), timing.lookMs).unref();

  return {
    /** Takes over what ended sessions have left, and retries segments that could not be read. Also runs at intervals. */
    look,

    /** Bytes of all our segments, including those that cannot be read now. */
    get bytes(): number {
      return bytesHeld();
    },

    /** Whether `take` would return chunks. */
    get hasMore(): boolean {
      return queue.hasMore || log.bytes > 0;
    },

    /** Writes all of the chunks or none of them. Never throws. */
    append(chunks: readonly SpillableChunk[]): Promise<AppendResult> {
      return exclusively(async (): Promise<AppendResult> => {
        if (closed) return { status: 'failed', error: new Error('the spill is closed') };
        // There are never fewer bytes than characters. If the characters do not fit, the disk need not be asked.
        if (bytesHeld() + chunks.reduce((sum, { data }) => sum + data.length, 0) > maxBytes) return { status: 'full' };
        try {
          return { status: await log.append(chunks) };
        } catch (thrown) {
          return { status: 'failed', error: toError(thrown) };
        }
      });
    },

    /** Returns the oldest chunks, the same ones until they are acknowledged, or null. For one caller at a time. */
    async take(): Promise<SpillBatch | null> {
      while (!closed) {
        const batch = await queue.take();
        if (batch !== null) return batch;
        await exclusively(log.seal);
        if (queue.hasMore) continue;
        await exclusively(removeOwnWhenDone);
        return null;
      }
      return null;
    },

    /** Call this when Redis has what was taken. */
    acknowledge: queue.acknowledge,

    /** Resolves when all appends made so far have ended. */
    settled: (): Promise<void> => exclusively(async () => undefined),

    /**
     * Syncs, and releases what is on disk to the next session, which need not wait for this process to end. Stop taking chunks
     * first.
     */
    async close(): Promise<void> {
      clearInterval(looking);
      await exclusively(async () => {
        if (closed) return;
        await log.seal();
        await removeOwnWhenDone();
        closed = true;
        await queue.close();
        await log.release();
      });
    },
  };
}

export type Spill = ReturnType<typeof createSpill>;
