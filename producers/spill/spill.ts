import { mkdir } from 'node:fs/promises';
import { toError } from '../../shared/platform/errors.ts';
import type { SpillBatch } from './batch-reader.ts';
import { createSegmentLog, type SpillableChunk } from './segment-log.ts';
import { createSegmentQueue, type SegmentQueueOptions } from './segment-queue.ts';
import { createSerial } from './serial.ts';
import { claim, createSessionFinder, listSegments } from './session-directories.ts';
import { type SpillTiming, spillTiming } from './timing.ts';

/** What a spill is made of, and whom it tells what. */
export interface SpillOptions extends SegmentQueueOptions {
  /** holds the directories of all sessions of one queue; made when it is missing */
  dir: string;
  /** of this session: the name of its directory */
  session: string;
  /** bytes of all segments that this process wrote or claimed */
  maxBytes: number;
  /** see createSegmentWriter */
  fsyncMs: number;
  /** ms since 1970; noted with each chunk, and nothing is judged by it */
  now: () => number;
  /** @default spillTiming */
  timing?: SpillTiming;
  /** there is something to replay that no append of this session brought */
  onFound(): void;
}

/** What became of an append. Nothing is kept of one that was not written. */
export type AppendResult = { status: 'written' } | { status: 'full' } | { status: 'failed'; error: Error };

/**
 * Chunks on disk, bounded by bytes: appended at the end, taken from the front, oldest first, those of earlier sessions
 * before those of this one.
 *
 * Nothing here throws or blocks the event loop: what is wrong with the disk, or a segment, is reported.
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
    // At the start, too, so that a directory that cannot be is reported before it is needed.
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
    /** Takes over what processes left that have died since, and tries again what could not be read. Happens by itself, too. */
    look,

    /** Bytes of all segments that are ours, those that cannot be read now included. */
    get bytes(): number {
      return bytesHeld();
    },

    /** Whether `take` has something to give. */
    get hasMore(): boolean {
      return queue.hasMore || log.bytes > 0;
    },

    /** Writes chunks behind all others. Never throws; what is not written is not there. */
    append(chunks: readonly SpillableChunk[]): Promise<AppendResult> {
      return exclusively(async (): Promise<AppendResult> => {
        if (closed) return { status: 'failed', error: new Error('the spill is closed') };
        // There are never fewer bytes than characters: when these are too many already, the disk is not asked.
        if (bytesHeld() + chunks.reduce((sum, { data }) => sum + data.length, 0) > maxBytes) return { status: 'full' };
        try {
          return { status: await log.append(chunks) };
        } catch (thrown) {
          return { status: 'failed', error: toError(thrown) };
        }
      });
    },

    /** The oldest chunks, the same ones until they are acknowledged; null when there are none. For one caller at a time. */
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

    /** Says that Redis has what was taken. */
    acknowledge: queue.acknowledge,

    /** Resolves when all appends so far have ended. */
    settled: (): Promise<void> => exclusively(async () => undefined),

    /**
     * Syncs, and leaves what is there to the next session, which need not wait for this process to end. Whoever takes
     * chunks must have stopped.
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
