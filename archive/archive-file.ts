import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ByteSink } from './parquet-writer.ts';

/** The directory cannot be written to or read. The message is for a person. */
export class FileError extends Error {
  override readonly name = 'FileError';
  /** the code of the operating system's error, such as `ENOSPC`; null: what was written could not be read back */
  readonly systemCode: string | null;

  constructor(message: string, options: { systemCode?: string; cause?: unknown } = {}) {
    super(message, options);
    this.systemCode = options.systemCode ?? null;
  }
}

/** A file that gets its name only when it is complete and on disk. */
export interface PendingFile extends ByteSink {
  /** bytes written so far */
  readonly bytes: number;
  /** where the file is until it gets its name */
  readonly path: string;
  /** Finishes the file and flushes it to disk. @returns the SHA-256 of its bytes, in hexadecimal */
  end(): Promise<string>;
  /** Shows others that a process is still working on it: see `removeAbandoned`. */
  touch(): Promise<void>;
  /** Gives it a name in its directory, replacing any file with that name. */
  giveName(path: string): Promise<void>;
  /** Removes it, if it has no name yet. */
  discard(): Promise<void>;
}

const suffix = '.partial';

/** Starts a file that will get its name in the directory of `path`. */
export async function createPendingFile(path: string): Promise<PendingFile> {
  const pending = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}${suffix}`);
  const file = await withFileErrors(path, () => open(pending, 'wx', 0o640));
  const sha256 = createHash('sha256');
  let [bytes, isOpen, isNamed] = [0, true, false];
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  };
  return {
    path: pending,
    get bytes() {
      return bytes;
    },
    write: (part) =>
      withFileErrors(path, async () => {
        // A full disk may accept part of it and say so, or accept nothing and fail.
        for (let written = 0; written < part.length; ) {
          written += (await file.write(part, written, part.length - written)).bytesWritten;
        }
        sha256.update(part);
        bytes += part.length;
      }),
    end: () =>
      withFileErrors(path, async () => {
        await file.sync();
        await close();
        return sha256.digest('hex');
      }),
    touch: () => withFileErrors(path, () => utimes(pending, new Date(), new Date())),
    giveName: (name) =>
      withFileErrors(path, async () => {
        await rename(pending, name);
        isNamed = true;
        await syncDirectory(dirname(name));
      }),
    async discard() {
      await close().catch(() => undefined);
      if (!isNamed) await rm(pending, { force: true }).catch(() => undefined);
    },
  };
}

/** Without this, a power failure could undo the renaming. */
async function syncDirectory(dir: string): Promise<void> {
  await using directory = await open(dir);
  await directory.sync();
}

/** A file that has not changed for this long is considered abandoned. */
const abandonedMs = 3_600_000;

/**
 * Removes what processes that died have left in a directory.
 *
 * @param of only files that were to get this name. @default all
 */
export async function removeAbandoned(dir: string, of = ''): Promise<void> {
  await withFileErrors(dir, async () => {
    for (const name of await readdir(dir)) {
      if (!name.startsWith(`.${of}`) || !name.endsWith(suffix)) continue;
      const path = join(dir, name);
      const found = await stat(path).catch(() => null);
      if (found !== null && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true });
    }
  });
}

const explanations: Record<string, string> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the disk quota is exceeded: free some space',
  EACCES: 'permission denied: give this process permission to write there',
  EPERM: 'permission denied: give this process permission to write there',
  EROFS: 'the file system is mounted read-only: remount it read-write',
  ENOENT: 'the directory does not exist: create or mount it',
  ENOTDIR: 'not a directory: name a directory',
  ESTALE: 'its file system is gone: mount it again',
  ENOTCONN: 'its file system is gone: mount it again',
  ETIMEDOUT: 'its file system does not respond: check the file server',
  EISDIR: 'is a directory: name a file',
  EFBIG: 'the file exceeds the maximum size: raise the limit of the process or of the file system',
  EIO: 'I/O error: check or replace the disk',
};

/** Works with files only, and says what to do about a failure. */
export async function withFileErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === null) throw thrown;
    throw new FileError(`${path} (${code}): ${explainFileError(code)}`, { systemCode: code, cause: thrown });
  }
}

/** The code of an operating system error. A decompressor has codes of its own. */
function systemCodeOf(thrown: unknown): string | null {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown ? String(thrown.code) : null;
}

/** What to do about an operating system error. */
export function explainFileError(code: string): string {
  return explanations[code] ?? 'the file system refused the operation';
}
