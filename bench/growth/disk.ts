import { statfs } from 'node:fs/promises';
import { UsageError } from '../../shared/platform/errors.ts';
import { mostRowsPerSecond } from './memory-slope.ts';

const gb = 1_000_000_000;
/** A row with its part of the indexes, rounded up. */
const bytesPerRow = 2_300;
/** PostgreSQL's log, Redis' file, and what is measured in between. */
const besideBytes = 4 * gb;

/** @throws UsageError that says what is needed and what there is */
export async function checkDisk(dir: string, needs: { mostRows: number; minutes: number }): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const needed = neededBytes(needs);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new UsageError(
    `${dir} is on a disk with ${Math.floor(free / gb)} GB free, and this takes ${Math.ceil(needed / gb)} GB; ` +
      'choose smaller --rows or --minutes, or name a directory on a larger disk in TMPDIR',
  );
}

/** The table is emptied before the steady load. */
export function neededBytes({ mostRows, minutes }: { mostRows: number; minutes: number }): number {
  return besideBytes + bytesPerRow * Math.max(mostRows, minutes * 60 * mostRowsPerSecond);
}
