import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { toError } from '../shared/errors.ts';
import { told } from './archive-file.ts';
import type { Column } from './columns.ts';
import type { Manifest } from './manifest.ts';
import { readParquet } from './parquet-reader.ts';
import { createRowSum, isSame, type RowSum } from './row-sum.ts';

/** What a reading of a whole file may be told, and tells. */
export interface Reading {
  signal?: AbortSignal;
  /** called for every part that was read, before the next one is */
  onPart?(): Promise<void>;
}

/** What is wrong with an archive; null when nothing is. Reads all of it. @throws what `onPart` threw, or when the signal aborts */
export async function findDamage(dir: string, manifest: Manifest, reading: Reading = {}): Promise<string | null> {
  const { signal } = reading;
  let thrownByCaller: unknown;
  const onPart = (): Promise<void> | undefined =>
    reading.onPart?.().catch((error: unknown) => {
      thrownByCaller = error;
      throw error;
    });
  const path = join(dir, manifest.file);
  try {
    const sha256 = createHash('sha256');
    let bytes = 0;
    await told(path, async () => {
      for await (const part of createReadStream(path, signal === undefined ? {} : { signal })) {
        sha256.update(part as Buffer);
        bytes += (part as Buffer).length;
        await onPart();
      }
    });
    if (bytes !== manifest.bytes) return `the file has ${bytes} bytes, and had ${manifest.bytes}`;
    if (sha256.digest('hex') !== manifest.sha256) return 'the bytes of the file are not what was written';
    const sum = await sumFile(path, manifest.columns, { ...reading, onPart: async () => onPart() });
    return isSame(sum, manifest) ? null : `its ${sum.rows} rows are not the ${manifest.rows} that were archived`;
  } catch (thrown) {
    if (signal?.aborted || (thrown === thrownByCaller && thrown !== undefined)) throw thrown;
    return toError(thrown).message;
  }
}

/** The sum of the rows of a file, see `RowSum`. */
export async function sumFile(path: string, columns: readonly Column[], reading: Reading = {}): Promise<RowSum> {
  const sum = createRowSum();
  for await (const rows of readParquet(path, columns)) {
    reading.signal?.throwIfAborted();
    for (const row of rows) sum.add(row);
    await reading.onPart?.();
  }
  return sum.total();
}
