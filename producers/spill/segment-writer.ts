import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toError } from '../../shared/platform/errors.ts';
import { encodeSegmentHeader, segmentHeaderBytes } from './frame.ts';

const { O_CREAT, O_EXCL, O_WRONLY } = constants;

/** How a segment is written. */
export interface SegmentOptions {
  path: string;
  /** bytes are on the disk itself at most so many ms after they were kept; 0: before `keep` resolves */
  fsyncMs: number;
  /** told when a sync in the background fails; what was kept is still with the operating system */
  onSyncFailed(error: Error): void;
}

/**
 * Creates a segment file, of mode 0600, and appends to it.
 *
 * What has been kept survives the end of the process, however it ends, since the operating system has it. What has
 * been synced survives a power cut, too.
 *
 * @throws when the file cannot be made or exists
 */
export async function createSegmentWriter({ path, fsyncMs, onSyncFailed }: SegmentOptions) {
  const file = await open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  let bytes = 0;
  let records = 0;
  /** behind `bytes`, and not yet kept */
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
    /** of the file, as far as it is kept */
    get bytes(): number {
      return bytes;
    },
    /** in all frames that are kept */
    get records(): number {
      return records;
    },

    /** Writes a frame behind all others. It counts only when it is kept. @throws when not all of it could be written */
    async write(frame: Buffer, frameRecords: number): Promise<void> {
      await writeAt(frame, bytes + writtenBytes);
      writtenBytes += frame.length;
      writtenRecords += frameRecords;
    },

    /** Keeps what was written. @throws when it cannot be synced now and should be */
    async keep(): Promise<void> {
      if (fsyncMs === 0) await file.datasync();
      else syncSoon();
      bytes += writtenBytes;
      records += writtenRecords;
      writtenBytes = 0;
      writtenRecords = 0;
    },

    /**
     * Cuts off what is not kept, syncs and closes. Never throws: it may be the disk that is broken.
     *
     * @param options.isOurs false: somebody else may be reading the file, so nothing is cut off
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

/** Makes the names in a directory survive a power cut, where the system can do that. */
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
