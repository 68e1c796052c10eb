import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../shared/platform/errors.ts';
import type { SealedSegment } from './batch-reader.ts';
import { encodeFrame } from './frame.ts';
import { createOwnDirectory, type OwnDirectory } from './own-directory.ts';
import { createSegmentWriter, type SegmentWriter } from './segment-writer.ts';
import { segmentName } from './session-directories.ts';
import type { SpillTiming } from './timing.ts';

/** A chunk to be written to disk. */
export interface SpillableChunk {
  id: string;
  data: string;
  entries: readonly unknown[];
}

/** Settings of a log, and its callbacks. */
export interface SegmentLogOptions {
  /** holds the directories of all sessions of one queue; created if it is missing */
  dir: string;
  /** the name of this session's directory */
  session: string;
  /** see createSegmentWriter */
  fsyncMs: number;
  timing: SpillTiming;
  /** ms since 1970; stored with each chunk for inspection only */
  now: () => number;
  /** whether so many bytes fit in addition to those that are kept */
  hasRoomFor(bytes: number): boolean;
  /** nothing more is appended to the segment, so it can be read */
  onSealed(segment: Omit<SealedSegment, 'done'>): void;
  onTrouble(error: Error): void;
}

/** Beyond so many bytes, a segment is sealed. */
const segmentBytes = 8 * 1_048_576;

/** Appends chunks to segments in this session's own directory, which exists only while it is needed. For one caller at a time. */
export function createSegmentLog(options: SegmentLogOptions) {
  const { onTrouble } = options;
  let own: OwnDirectory | null = null;
  let active: SegmentWriter | null = null;
  let lastSegment = 0;

  const directory = async (): Promise<OwnDirectory> => {
    const departure = await own?.departure();
    if (departure) {
      onTrouble(new Error(`the spill directory of this session was ${departure}; creating a new one`));
      await seal();
      own = null;
    }
    own ??= await createOwnDirectory({ parent: options.dir, name: options.session, timing: options.timing, onTrouble });
    return own;
  };

  const writer = async (): Promise<SegmentWriter> => {
    const { path } = await directory();
    if (active !== null) return active;
    lastSegment += 1;
    active = await createSegmentWriter({
      path: join(path, segmentName(lastSegment)),
      fsyncMs: options.fsyncMs,
      onSyncFailed: onTrouble,
    });
    return active;
  };

  const seal = async (): Promise<void> => {
    if (active === null || own === null) return;
    const { path, records } = active;
    await active.close({ isOurs: (await own.departure()) === null });
    if (records > 0) options.onSealed({ path, bytes: active.bytes, ownRecords: records, directory: null, holder: own });
    else await rm(path, { force: true }).catch(() => undefined);
    active = null;
  };

  /** Null if the directory was moved or deleted meanwhile: the chunks have to be written again, into a new one. */
  const tryToWrite = async (chunks: readonly SpillableChunk[]): Promise<'written' | 'full' | null> => {
    const segment = await writer();
    const writtenAtMs = options.now();
    let bytes = 0;
    for (const { id, data, entries } of chunks) {
      // One frame in each turn: encoding all of them at once would block the event loop for milliseconds.
      const frame = encodeFrame({ id, data, records: entries.length, writtenAtMs });
      bytes += frame.length;
      if (!options.hasRoomFor(bytes)) {
        await seal();
        return 'full';
      }
      await segment.write(frame, entries.length);
    }
    // A stalled session may have lost its directory while it wrote. Only what was in the directory before that counts.
    if ((await own?.departure()) !== null) return null;
    await segment.keep();
    if (segment.bytes >= segmentBytes) await seal();
    return 'written';
  };

  return {
    /** Bytes of the segment that is being written, as far as they are kept. */
    get bytes(): number {
      return active?.bytes ?? 0;
    },
    /** the path of this session's directory; null while there is none */
    get path(): string | null {
      return own?.path ?? null;
    },

    /** Returns this session's directory, and creates it if there is none. */
    directory,

    /** Writes all of the chunks, or none. @throws when the disk refuses */
    async append(chunks: readonly SpillableChunk[]): Promise<'written' | 'full'> {
      try {
        const result = (await tryToWrite(chunks)) ?? (await tryToWrite(chunks));
        if (result === null) throw new Error('the spill directory was removed twice while chunks were being written');
        return result;
      } catch (thrown) {
        await seal();
        throw thrown;
      }
    },

    /** Closes the segment that is being written and hands it on. */
    seal,

    /** Removes the directory. Nothing may be left in it or claimed in its name. */
    async remove(): Promise<void> {
      if (active !== null) return;
      await own?.remove().catch((thrown: unknown) => onTrouble(toError(thrown)));
      own = null;
    },

    /** Releases the directory to the next session, which need not wait for this process to end. */
    async release(): Promise<void> {
      await own?.release().catch((thrown: unknown) => onTrouble(toError(thrown)));
    },
  };
}
