import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../shared/platform/errors.ts';
import { type BatchReader, createBatchReader, type SealedSegment, type SpillBatch } from './batch-reader.ts';
import { encodeFrame } from './frame.ts';
import { createLifeWatch } from './life-watch.ts';
import { claim, type LifeDirectory, listLives, listSegments, segmentName } from './orphans.ts';
import { createOwnDirectory, type Departure, type OwnDirectory, removeDirectory } from './own-directory.ts';
import { isKnownToHaveEnded } from './owner.ts';
import { identifyThisProcess } from './process-identity.ts';
import { createSegmentWriter, type SegmentWriter } from './segment-writer.ts';
import { createSerial } from './serial.ts';
import { type SpillTiming, spillTiming } from './timing.ts';

/** What a spill is made of, and whom it tells what. */
export interface SpillOptions {
  /** holds the directories of all lives of one queue; made when it is missing */
  dir: string;
  /** of this life: the name of its directory */
  life: string;
  /** bytes of all segments that this process wrote or claimed */
  maxBytes: number;
  /** see createSegmentWriter */
  fsyncMs: number;
  /** ms since 1970; noted with each chunk, and nothing is judged by it */
  now: () => number;
  /** @default spillTiming */
  timing?: SpillTiming;
  /** there is something to replay that no append of this life brought */
  onFound(): void;
  /** bytes that turned out to be no intact chunks; records when they are known, that is, of this life */
  onLost(loss: { bytes: number; ownRecords: number }): void;
  /** so many records of this life were taken over by another one, which took us for dead, and sends them */
  onTakenOver(ownRecords: number): void;
  /** the disk, or what is on it, is not as it should be; goes on all the same */
  onTrouble(error: Error): void;
}

/** What became of an append. Nothing is kept of one that was not written. */
export type AppendResult = { status: 'written' } | { status: 'full' } | { status: 'failed'; error: Error };

const full: AppendResult = { status: 'full' };

interface SpillableChunk {
  id: string;
  data: string;
  entries: readonly unknown[];
}

/** A segment is closed, and the next begun, beyond so many bytes. */
const segmentBytes = 8 * 1_048_576;
/** What is taken off the disk at a time; one chunk may be larger. */
const batchLimits = { maxChunks: 5, maxBytes: 4 * 1_048_576 };
/**
 * Chunks on disk, bounded by bytes: appended at the end, taken from the front, oldest first, those of former lives
 * before those of this one.
 *
 * A life has a directory of its own, which is there only while it is needed. A segment is deleted when all its chunks
 * are acknowledged, so a chunk may be replayed more than once, and is never forgotten. Nothing here throws or blocks the
 * event loop: what is wrong with the disk, or a segment, is reported.
 */
export function createSpill(options: SpillOptions) {
  const { dir, now, timing = spillTiming } = options;
  const exclusively = createSerial();
  const watch = createLifeWatch(timing);
  /** oldest first; the first one is being read */
  const sealed: SealedSegment[] = [];
  /** directories of former lives that still have segments of theirs, by path */
  const claimed = new Map<string, number>();
  let own: OwnDirectory | null = null;
  let active: SegmentWriter | null = null;
  let lastSegment = 0;
  let sealedBytes = 0;
  /** could not be read, and are tried again when former lives are looked for */
  const unreadable: SealedSegment[] = [];
  /** segments that are left on disk for a newer build */
  let newer = 0;
  let reader: BatchReader | null = null;
  let taken: SpillBatch | null = null;
  let closed = false;

  const adopt = async (): Promise<void> => {
    if (closed) return;
    // At the start, too, so that a directory that cannot be is reported before it is needed.
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const orphans = await findOrphans();
    if (orphans.length === 0 && unreadable.length === 0) return;
    sealed.push(...unreadable.splice(0));
    const holder = await ownDirectory();
    for (const orphan of orphans) {
      await takeOver(orphan, holder).catch((thrown: unknown) => options.onTrouble(toError(thrown)));
    }
    if (sealed.length > 0) options.onFound();
    else await removeOwnWhenDone();
  };

  /** Directories of lives that have ended. */
  const findOrphans = async (): Promise<LifeDirectory[]> => {
    const us = await identifyThisProcess();
    const lives = (await listLives(dir)).filter(({ ownerPath }) => ownerPath !== own?.path);
    const orphans = lives.filter(
      ({ owner, ownerPath }) =>
        owner === null || isKnownToHaveEnded(owner, us) || watch.isSilent(ownerPath, owner.sign),
    );
    watch.keepOnly(lives.map(({ ownerPath }) => ownerPath));
    return orphans;
  };

  const takeOver = async (orphan: LifeDirectory, holder: OwnDirectory): Promise<void> => {
    const path = await claim(dir, orphan, holder.name);
    if (path === null) return;
    const segments = await listSegments(path);
    claimed.set(path, segments.length);
    for (const segment of segments) {
      sealed.push({ ...segment, ownRecords: null, directory: path, holder, done: { chunks: 0, records: 0 } });
      sealedBytes += segment.bytes;
    }
    if (segments.length === 0) await leave(path);
  };

  const ownDirectory = async (): Promise<OwnDirectory> => {
    const departure = await departureOf(own);
    if (departure !== null) {
      options.onTrouble(new Error(`the spill directory of this life was ${departure}; creating a new one`));
      await seal();
      own = null;
    }
    own ??= await createOwnDirectory({ parent: dir, name: options.life, timing });
    return own;
  };

  /** A directory that cannot be seen counts as deleted, and is left to others: what is in it is tried again later. */
  const departureOf = async (directory: OwnDirectory | null): Promise<Departure | null> => {
    if (directory === null) return null;
    return directory.departure().catch((thrown: unknown) => {
      options.onTrouble(toError(thrown));
      directory.abandon();
      return 'deleted' as const;
    });
  };

  const writer = async (): Promise<SegmentWriter> => {
    const { path } = await ownDirectory();
    if (active !== null) return active;
    lastSegment += 1;
    active = await createSegmentWriter({
      path: join(path, segmentName(lastSegment)),
      fsyncMs: options.fsyncMs,
      onSyncFailed: options.onTrouble,
    });
    return active;
  };

  /** From here on nothing is appended to the active segment, so it can be read. */
  const seal = async (): Promise<void> => {
    if (active === null || own === null) return;
    const { path, records } = active;
    await active.close({ isOurs: (await departureOf(own)) === null });
    if (records > 0) {
      const done = { chunks: 0, records: 0 };
      sealed.push({ path, bytes: active.bytes, ownRecords: records, directory: null, holder: own, done });
      sealedBytes += active.bytes;
    } else {
      await rm(path, { force: true }).catch(() => undefined);
    }
    active = null;
  };

  /** The first segment has been read, and all that was in it acknowledged. */
  const finish = async (segment: SealedSegment): Promise<void> => {
    const end = reader?.end;
    await reader?.close();
    reader = null;
    if (end?.isNewer) {
      // Its bytes go on counting: they are on the disk.
      sealed.shift();
      newer += 1;
      options.onTrouble(new Error(`${segment.path} was written by a newer version and is left for that version`));
      return;
    }
    report(segment, end?.corruptBytes ?? 0);
    await rm(segment.path, { force: true }).catch((thrown: unknown) => options.onTrouble(toError(thrown)));
    await drop(segment);
  };

  const report = ({ ownRecords: written, done }: SealedSegment, bytes: number): void => {
    const ownRecords = written === null ? 0 : written - done.records;
    if (bytes > 0 || ownRecords > 0) options.onLost({ bytes, ownRecords });
  };

  const drop = async (segment: SealedSegment): Promise<void> => {
    sealed.shift();
    sealedBytes -= segment.bytes;
    if (segment.directory !== null) {
      const left = (claimed.get(segment.directory) ?? 0) - 1;
      claimed.set(segment.directory, left);
      if (left === 0) await leave(segment.directory);
    }
  };

  const leave = async (directory: string): Promise<void> => {
    claimed.delete(directory);
    await removeDirectory(directory).catch((thrown: unknown) => options.onTrouble(toError(thrown)));
  };

  const removeOwnWhenDone = async (): Promise<void> => {
    if (own === null || active !== null || sealed.length > 0 || claimed.size > 0) return;
    if (unreadable.length > 0 || newer > 0) return;
    await own.remove().catch((thrown: unknown) => options.onTrouble(toError(thrown)));
    own = null;
  };

  /** A segment that cannot be read at all: gone, or the disk refuses. */
  const giveUp = async (segment: SealedSegment, error: Error): Promise<void> => {
    await reader?.close();
    reader = null;
    options.onTrouble(error);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      sealed.shift();
      unreadable.push(segment);
      return;
    }
    if ((await departureOf(segment.holder)) === 'taken') tellTaken(segment);
    else report(segment, segment.bytes);
    await drop(segment);
  };

  const tellTaken = ({ ownRecords, done }: SealedSegment): void => {
    if (ownRecords !== null && ownRecords > done.records) options.onTakenOver(ownRecords - done.records);
  };

  /** Null when the directory was taken away meanwhile: the chunks are to be written again, into a new one. */
  const tryToWrite = async (chunks: readonly SpillableChunk[]): Promise<AppendResult | null> => {
    const segment = await writer();
    const writtenAtMs = now();
    let bytes = bytesHeld();
    for (const { id, data, entries } of chunks) {
      // Each in a turn of its own: to encode all of them at once would hold up the event loop for milliseconds.
      const frame = encodeFrame({ id, data, records: entries.length, writtenAtMs });
      bytes += frame.length;
      if (bytes > options.maxBytes) {
        await seal();
        return full;
      }
      await segment.write(frame, entries.length);
    }
    // A life that was held up may have lost its directory while it wrote. Only what was in it before it went counts.
    if ((await departureOf(own)) !== null) return null;
    await segment.keep();
    if (segment.bytes >= segmentBytes) await seal();
    return { status: 'written' };
  };

  const bytesHeld = (): number => sealedBytes + (active?.bytes ?? 0);

  const look = (): Promise<void> =>
    exclusively(adopt).catch((thrown: unknown) => {
      options.onTrouble(toError(thrown));
    });
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
      return taken !== null || sealed.length > 0 || active !== null;
    },

    /** Writes chunks behind all others. Never throws; what is not written is not there. */
    append(chunks: readonly SpillableChunk[]): Promise<AppendResult> {
      return exclusively(async (): Promise<AppendResult> => {
        if (closed) return { status: 'failed', error: new Error('the spill is closed') };
        // There are never fewer bytes than characters: when these are too many already, the disk is not asked.
        if (bytesHeld() + chunks.reduce((sum, { data }) => sum + data.length, 0) > options.maxBytes) return full;
        try {
          const result = (await tryToWrite(chunks)) ?? (await tryToWrite(chunks));
          if (result === null) throw new Error('the spill directory was removed twice while chunks were being written');
          return result;
        } catch (thrown) {
          await seal();
          return { status: 'failed', error: toError(thrown) };
        }
      });
    },

    /**
     * The oldest chunks, the same ones until they are acknowledged; null when there are none. For one caller at a time.
     */
    async take(): Promise<SpillBatch | null> {
      while (taken === null && !closed) {
        if (sealed.length === 0) await exclusively(seal);
        const segment = sealed[0];
        if (segment === undefined) {
          await exclusively(removeOwnWhenDone);
          return null;
        }
        try {
          reader ??= createBatchReader(segment, batchLimits);
          taken = await reader.next();
          segment.done.chunks += taken?.chunks.length ?? 0;
          segment.done.records += taken?.records ?? 0;
          if (taken === null) await finish(segment);
        } catch (thrown) {
          await giveUp(segment, toError(thrown));
        }
      }
      return taken;
    },

    /** Says that Redis has what was taken. */
    acknowledge(): void {
      taken = null;
    },

    /** Resolves when all appends so far have ended. */
    async settled(): Promise<void> {
      await exclusively(async () => undefined);
    },

    /**
     * Syncs, and leaves what is there to the next life, which need not wait for this process to end. Whoever takes
     * chunks must have stopped.
     */
    async close(): Promise<void> {
      clearInterval(looking);
      await exclusively(async () => {
        if (closed) return;
        await seal();
        await removeOwnWhenDone();
        closed = true;
        await reader?.close();
        await own?.release().catch((thrown: unknown) => options.onTrouble(toError(thrown)));
      });
    },
  };
}

export type Spill = ReturnType<typeof createSpill>;
