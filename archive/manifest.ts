import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createPendingFile, told } from './archive-file.ts';
import type { RowSum } from './row-sum.ts';
import type { TableName } from './table-ranges.ts';

/** How sums of rows are reckoned: see `RowSum`. Another way gets another name. */
const rowSumMethod = 'sum-of-sha256-of-rows';

const columnSchema = z.object({
  name: z.string(),
  kind: z.enum(['uuid', 'time', 'integer', 'bigint', 'double', 'boolean', 'json', 'text']),
  type: z.string(),
  isNullable: z.boolean(),
});

/** What stands beside a file of rows: what is in it, and by what it can be told that it is whole. */
const manifestSchema = z.object({
  /** of the manifest and the file; a higher one is of a newer Sluice */
  format: z.literal(1),
  /** the table that the rows were in, and the partition of it */
  table: z.string(),
  partition: z.string(),
  /** ISO 8601; included */
  from: z.string(),
  /** ISO 8601; excluded */
  until: z.string(),
  file: z.string().regex(/^[^/\\]+\.parquet$/),
  rows: z.int().min(0),
  /** of the file */
  bytes: z.int().min(0),
  /** of the file, in hexadecimal */
  sha256: z.string(),
  rowSumMethod: z.literal(rowSumMethod),
  /** decimal digits */
  checksum: z.string(),
  columns: z.array(columnSchema),
  /** ISO 8601 */
  archivedAt: z.string(),
});

export type Manifest = z.output<typeof manifestSchema>;

/** What archives hold: rows of a table between two times. */
export interface Archived {
  table: string;
  /** ISO 8601; included */
  from: string;
  /** ISO 8601; excluded */
  until: string;
}

/** A table to archive: what it was a partition of, and the bounds that it had. */
export interface ArchivedTable extends Archived {
  place: TableName;
}

/**
 * The name of a file, without its ending. It tells what is in it, down to the rows: so no archive takes the place of another
 * one, as when a day comes to be again after it was archived, and gets rows.
 */
export function archiveName({ table, from, until }: Archived, sum: RowSum): string {
  const content = createHash('sha256').update(`${sum.rows} ${sum.checksum}`).digest('hex').slice(0, 12);
  return `${table}_${compact(from)}_${compact(until)}_${content}`;
}

function compact(iso: string): string {
  return iso.replaceAll(/[-:]|\.000/g, '');
}

const ending = '.json';

/** Writes a manifest beside its file. */
export async function writeManifest(
  dir: string,
  name: string,
  manifest: Omit<Manifest, 'format' | 'file' | 'rowSumMethod'>,
): Promise<Manifest> {
  const whole: Manifest = { format: 1, file: `${name}.parquet`, rowSumMethod, ...manifest };
  const path = join(dir, `${name}${ending}`);
  const file = await createPendingFile(path);
  try {
    await file.write(Buffer.from(`${JSON.stringify(whole, null, 2)}\n`));
    await file.end();
    await file.giveName(path);
  } finally {
    await file.discard();
  }
  return whole;
}

/** A file in the directory that looks like a manifest and is none, and why. */
export interface UnreadableManifest {
  name: string;
  reason: string;
}

/** The archives of a directory, the oldest rows first, and what cannot be read. */
export async function listManifests(dir: string): Promise<{ manifests: Manifest[]; unreadable: UnreadableManifest[] }> {
  const manifests: Manifest[] = [];
  const unreadable: UnreadableManifest[] = [];
  for (const name of await told(dir, () => readdir(dir))) {
    if (name.startsWith('.') || !name.endsWith(ending)) continue;
    const parsed = manifestSchema.safeParse(await readJson(join(dir, name)));
    if (parsed.success) manifests.push(parsed.data);
    else
      unreadable.push({ name, reason: parsed.error.issues.map(({ path }) => path.join('.') || 'no JSON').join(', ') });
  }
  manifests.sort((a, b) => a.from.localeCompare(b.from) || a.archivedAt.localeCompare(b.archivedAt));
  return { manifests, unreadable };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
