import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ByteSink } from './parquet-writer.ts';

/** The directory could not be written to, or not be read. The message is for a person. */
export class FileError extends Error {
  override readonly name = 'FileError';
  /** of the operating system, such as `ENOSPC`; null: what was written could not be read back */
  readonly systemCode: string | null;

  constructor(message: string, options: { systemCode?: string; cause?: unknown } = {}) {
    super(message, options);
    this.systemCode = options.systemCode ?? null;
  }
}

/** A file that has its name only once it is whole and on the disk. */
export interface PendingFile extends ByteSink {
  /** so far */
  readonly bytes: number;
  /** where it is until it has its name */
  readonly path: string;
  /** Ends it: what was written is on the disk. @returns the SHA-256 of its bytes, in hexadecimal */
  end(): Promise<string>;
  /** Shows others that somebody still works on it: see `removeAbandoned`. */
  touch(): Promise<void>;
  /** Gives it a name in its directory, in place of another file that has it. */
  giveName(path: string): Promise<void>;
  /** Takes it away, if it has no name yet. */
  discard(): Promise<void>;
}

const suffix = '.partial';

/** Begins a file that is to have its name in the directory of `path`. */
export async function createPendingFile(path: string): Promise<PendingFile> {
  const pending = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}${suffix}`);
  const file = await told(path, () => open(pending, 'wx', 0o640));
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
      told(path, async () => {
        // A full disk may take a part of it and say so, or nothing and fail.
        for (let written = 0; written < part.length; ) {
          written += (await file.write(part, written, part.length - written)).bytesWritten;
        }
        sha256.update(part);
        bytes += part.length;
      }),
    end: () =>
      told(path, async () => {
        await file.sync();
        await close();
        return sha256.digest('hex');
      }),
    touch: () => told(path, () => utimes(pending, new Date(), new Date())),
    giveName: (name) =>
      told(path, async () => {
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

/** Without it a power cut could take the name away again. */
async function syncDirectory(dir: string): Promise<void> {
  await using directory = await open(dir);
  await directory.sync();
}

/** Nobody works on a file that has not changed for so long. */
const abandonedMs = 3_600_000;

/**
 * Takes away what processes that died have left in a directory.
 *
 * @param of only of files that were to have this name. @default of all
 */
export async function removeAbandoned(dir: string, of = ''): Promise<void> {
  await told(dir, async () => {
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

/** Does something with files and nothing else, and says of a failure what to do. */
export async function told<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === null) throw thrown;
    throw new FileError(`${path} (${code}): ${explainFileError(code)}`, { systemCode: code, cause: thrown });
  }
}

/** The code of an error of the operating system. A decompressor has codes of its own. */
function systemCodeOf(thrown: unknown): string | null {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown ? String(thrown.code) : null;
}

/** What to do about a code of the operating system. */
export function explainFileError(code: string): string {
  return explanations[code] ?? 'the file system refused it';
}
