import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toError } from '../../shared/platform/errors.ts';
import { encodeSegmentHeader, segmentHeaderBytes } from './frame.ts';

const { O_CREAT, O_EXCL, O_WRONLY } = constants;

/** Settings of a segment writer. */
export interface SegmentOptions {
  path: string;
  /** kept bytes are synced to disk within so many ms; 0: before `keep` resolves */
  fsyncMs: number;
  /** told when a sync in the background fails; the operating system still has what was kept */
  onSyncFailed(error: Error): void;
}

/**
 * Creates a segment file, of mode 0600, and appends to it.
 *
 * The operating system has what is kept, so it survives any end of the process. What is synced also survives a power cut.
 *
 * @throws when the file exists or cannot be created
 */
export async function createSegmentWriter({ path, fsyncMs, onSyncFailed }: SegmentOptions) {
  const file = await open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  let bytes = 0;
  let records = 0;
  /** after `bytes`, not kept yet */
  let writtenBytes = 0;
  let writtenRecords = 0;
  let timer: NodeJS.Timeout | null = null;

  const writeAt = async (data: Buffer, position: number): Promise<void> => {
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
      done += bytesWritten;
    }
  };

  const syncSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      file.datasync().catch((thrown: unknown) => onSyncFailed(toError(thrown)));
    }, fsyncMs).unref();
  };

  try {
    await writeAt(encodeSegmentHeader(), 0);
    bytes = segmentHeaderBytes;
    await syncDirectory(dirname(path));
  } catch (thrown) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true }).catch(() => undefined);
    throw thrown;
  }

  return {
    path,
    /** bytes of the file that are kept */
    get bytes(): number {
      return bytes;
    },
    /** records in all frames that are kept */
    get records(): number {
      return records;
    },

    /** Appends a frame. It counts only once it is kept. @throws when not all of it could be written */
    async write(frame: Buffer, frameRecords: number): Promise<void> {
      await writeAt(frame, bytes + writtenBytes);
      writtenBytes += frame.length;
      writtenRecords += frameRecords;
    },

    /** Keeps what was written. @throws when `fsyncMs` is 0 and the sync fails */
    async keep(): Promise<void> {
      if (fsyncMs === 0) await file.datasync();
      else syncSoon();
      bytes += writtenBytes;
      records += writtenRecords;
      writtenBytes = 0;
      writtenRecords = 0;
    },

    /**
     * Truncates what is not kept, syncs and closes. Never throws, since the disk itself may be broken.
     *
     * @param options.isOurs false: another session may be reading the file, so it is not truncated
     */
    async close({ isOurs }: { isOurs: boolean }): Promise<void> {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      try {
        if (isOurs) await file.truncate(bytes);
        await file.datasync();
      } catch (thrown) {
        onSyncFailed(toError(thrown));
      }
      await file.close().catch(() => undefined);
    },
  };
}

export type SegmentWriter = Awaited<ReturnType<typeof createSegmentWriter>>;

/** Syncs the names in a directory, so that they survive a power cut, where the system supports it. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } catch {
    // Some file systems do not sync directories.
  } finally {
    await directory.close();
  }
}
