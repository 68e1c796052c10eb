import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createPendingFile, type PendingFile, withFileErrors } from './archive-file.ts';
import type { RowSum } from './row-sum.ts';
import type { TableName } from './table-ranges.ts';

/** How sums of rows are computed: see `RowSum`. Another method gets another name. */
const rowSumMethod = 'sum-of-sha256-of-rows';

const columnSchema = z.object({
  name: z.string(),
  kind: z.enum(['uuid', 'time', 'integer', 'bigint', 'double', 'boolean', 'json', 'text']),
  type: z.string(),
  isNullable: z.boolean(),
});

/** The file next to a file of rows: what it contains, and how to tell that it is complete. */
const manifestSchema = z.object({
  /** of the manifest and the file; a higher one comes from a newer Sluice */
  format: z.literal(1),
  /** the table that the rows were in, and its partition */
  table: z.string(),
  partition: z.string(),
  /** ISO 8601; inclusive */
  from: z.string(),
  /** ISO 8601; exclusive */
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

/** What archives contain: the rows of a table between two times. */
export type Archived = Pick<Manifest, 'table' | 'from' | 'until'>;

/** A table to archive: the table that it was a partition of, and its bounds. */
export interface ArchivedTable extends Archived {
  place: TableName;
}

/**
 * The name of a file. It identifies the contents down to the rows, so that no archive replaces another one, for instance if a
 * day is created again after it was archived, and gets rows.
 */
export function fileNameOf({ table, from, until }: Archived, sum: RowSum): string {
  const content = createHash('sha256').update(`${sum.rows} ${sum.checksum}`).digest('hex').slice(0, 12);
  return `${table}_${compact(from)}_${compact(until)}_${content}${fileEnding}`;
}

function compact(iso: string): string {
  return iso.replaceAll(/[-:]|\.000/g, '');
}

const fileEnding = '.parquet';
const ending = '.json';

function manifestNameOf(file: string): string {
  return file.slice(0, -fileEnding.length) + ending;
}

/**
 * Gives a complete file and its manifest their names. Everything that needs disk space happens before either gets its name;
 * if it fails nevertheless, neither exists.
 */
export async function publish(
  dir: string,
  file: PendingFile,
  facts: Omit<Manifest, 'format' | 'file' | 'rowSumMethod'>,
): Promise<Manifest> {
  const manifest: Manifest = { format: 1, file: fileNameOf(facts, facts), rowSumMethod, ...facts };
  const path = join(dir, manifestNameOf(manifest.file));
  const beside = await createPendingFile(path);
  try {
    await beside.write(Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    await beside.end();
    try {
      await file.giveName(join(dir, manifest.file));
      await beside.giveName(path);
    } catch (thrown) {
      await removeArchive(dir, manifest).catch(() => undefined);
      throw thrown;
    }
  } finally {
    await beside.discard();
  }
  return manifest;
}

/** Removes an archive that has not become the proof for a drop. */
export async function removeArchive(dir: string, { file }: Manifest): Promise<void> {
  await withFileErrors(dir, async () => {
    await rm(join(dir, manifestNameOf(file)), { force: true });
    await rm(join(dir, file), { force: true });
  });
}

/** A file in the directory that looks like a manifest but is not, and why. */
export interface UnreadableManifest {
  name: string;
  reason: string;
}

/** The contents of a directory of archives. */
export interface ArchiveListing {
  /** the oldest rows first */
  manifests: Manifest[];
  unreadable: UnreadableManifest[];
  /** names of files of rows that no manifest names: a process died before it wrote one, or somebody removed it */
  withoutManifest: string[];
  /** names of files of rows that a manifest names but that do not exist */
  missing: string[];
}

export async function listArchives(dir: string): Promise<ArchiveListing> {
  const manifests: Manifest[] = [];
  const unreadable: UnreadableManifest[] = [];
  const names = await withFileErrors(dir, () => readdir(dir));
  for (const name of names) {
    if (name.startsWith('.') || !name.endsWith(ending)) continue;
    const parsed = manifestSchema.safeParse(await readJson(join(dir, name)));
    if (parsed.success) manifests.push(parsed.data);
    else
      unreadable.push({ name, reason: parsed.error.issues.map(({ path }) => path.join('.') || 'not JSON').join(', ') });
  }
  manifests.sort((a, b) => a.from.localeCompare(b.from) || a.archivedAt.localeCompare(b.archivedAt));
  const [named, there] = [new Set(manifests.map(({ file }) => file)), new Set(names)];
  return {
    manifests,
    unreadable,
    withoutManifest: names.filter((name) => ofRows.test(name) && !named.has(name)),
    missing: [...named].filter((name) => !there.has(name)),
  };
}

/** See `fileNameOf`. Other files may be next to them. */
const ofRows = /^[^.].*_[0-9a-f]{12}\.parquet$/;

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
