import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../shared/platform/errors.ts';
import { FileError, withFileErrors } from './archive-file.ts';
import type { Column } from './columns.ts';
import { fileNameOf, type Manifest } from './manifest.ts';
import { readParquet } from './parquet-reader.ts';
import { createRowSum, isSame, type RowSum } from './row-sum.ts';

/** Options for reading a whole file. */
export interface Reading {
  signal?: AbortSignal;
  /** called after each part that was read, before the next one is */
  onPart?(): Promise<void>;
}

/** What is wrong with an archive; null if nothing is. Reads all of it. @throws what `onPart` threw, or when the signal aborts */
export async function findDamage(dir: string, manifest: Manifest, reading: Reading = {}): Promise<string | null> {
  if (manifest.file !== fileNameOf(manifest, manifest)) return 'its manifest has other bounds or sums than its name';
  return findDamageOfFile(join(dir, manifest.file), manifest, reading);
}

/** Like `findDamage`, for a file that may not have its name yet. */
export async function findDamageOfFile(
  path: string,
  written: Pick<Manifest, 'bytes' | 'sha256' | 'columns'> & RowSum,
  reading: Reading = {},
): Promise<string | null> {
  let thrownByCaller: unknown;
  const onPart = async (): Promise<void> => {
    reading.signal?.throwIfAborted();
    await reading.onPart?.().catch((error: unknown) => {
      thrownByCaller = error;
      throw error;
    });
  };
  try {
    const sha256 = createHash('sha256');
    let bytes = 0;
    for await (const part of readParts(path)) {
      sha256.update(part);
      bytes += part.length;
      await onPart();
    }
    if (bytes !== written.bytes) return `the file has ${bytes} bytes instead of ${written.bytes}`;
    if (sha256.digest('hex') !== written.sha256) return 'the contents of the file have changed';
    const sum = await sumFile(path, written.columns, onPart);
    return isSame(sum, written) ? null : `its ${sum.rows} rows differ from the ${written.rows} archived rows`;
  } catch (thrown) {
    if (reading.signal?.aborted || (thrown === thrownByCaller && thrown !== undefined)) throw thrown;
    if (thrown instanceof FileError && thrown.systemCode === 'ENOENT') return 'the file is missing';
    return toError(thrown).message;
  }
}

const partBytes = 1_024 * 1_024;

/** Each part is valid until the next one is requested. */
async function* readParts(path: string): AsyncGenerator<Buffer> {
  await using file = await withFileErrors(path, () => open(path));
  const buffer = Buffer.allocUnsafe(partBytes);
  for (;;) {
    const { bytesRead } = await withFileErrors(path, () => file.read(buffer, 0, partBytes));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The sum of the rows of a file, see `RowSum`. */
async function sumFile(path: string, columns: readonly Column[], onPart: () => Promise<void>): Promise<RowSum> {
  const sum = createRowSum();
  for await (const rows of readParquet(path, columns)) {
    for (const row of rows) sum.add(row);
    await onPart();
  }
  return sum.total();
}
