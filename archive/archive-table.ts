import { join } from 'node:path';
import {
  type Database,
  type JsonTransaction,
  queryTexts,
  withJsonTransaction,
} from '../shared/platform/postgres/database.ts';
import { createPendingFile, FileError, type PendingFile, removeAbandoned } from './archive-file.ts';
import { isAwaitingDrop } from './awaiting-drop.ts';
import { type Column, readColumns } from './columns.ts';
import { type Archived, type ArchivedTable, listArchives, type Manifest, publish } from './manifest.ts';
import { createParquetWriter } from './parquet-writer.ts';
import { readTable } from './read-table.ts';
import { createRowSum, isSame, sumTable } from './row-sum.ts';
import { settleSession } from './session.ts';
import { type TableName, toTableSql } from './table-ranges.ts';
import { findDamage, findDamageOfFile } from './verify-archive.ts';

/** The outcome: the archive with the table's rows, or why there is none yet. */
export type ArchiveResult =
  /** `isNew`: no archive of the same rows existed before */
  | { manifest: Manifest; isNew: boolean }
  /** another process is working on it */
  | 'busy'
  | 'stopped';

/** Together with a table's name: processes that archive at the same time take turns on a table. */
const advisoryLock = 7_270_414;

/** How long to wait for the lock that a reader needs. */
const lockTimeoutMs = 500;

const signOfLifeEveryMs = 5_000;

/**
 * Writes the rows of a table to a file in `dir`, reads it back, and gives it its name only when it is complete. If an archive
 * of the same rows exists, checks that one instead. Takes only a reader's lock, so inserts continue. What is written to the
 * table meanwhile may be missing; see `dropArchived` for the proof.
 *
 * @throws FileError if the directory is at fault, otherwise the database's error
 */
export function archiveTable(
  database: Database,
  table: ArchivedTable,
  { dir, signal }: { dir: string; signal: AbortSignal },
): Promise<ArchiveResult> {
  return withJsonTransaction(database, { lockTimeoutMs, commits: true }, async (transaction) => {
    await settleSession(transaction);
    const [[isMine] = []] = await queryTexts(
      transaction,
      `select pg_try_advisory_xact_lock(${advisoryLock}, hashtext($1))::text`,
      [toTableSql(table.place)],
    );
    if (isMine !== 'true') return 'busy';
    // Nobody can drop the table while it is read, so an archive of fewer rows cannot follow one that was the proof for a drop.
    await queryTexts(transaction, `lock table ${toTableSql(table.place)} in access share mode`);
    const columns = await readColumns(transaction, table.place.name);
    await removeAbandoned(dir);
    const known = (await listArchives(dir)).manifests.filter((one) => isOf(one, table));
    const equal = await findEqual(transaction, table, columns, known, { dir, signal });
    if (equal === 'stopped') return equal;
    if (equal !== null) return { manifest: equal, isNew: false };
    const manifest = await writeArchive(transaction, table, columns, { dir, signal });
    if (manifest === 'stopped') return manifest;
    return { manifest, isNew: !known.some(({ file }) => file === manifest.file) };
  });
}

/**
 * While a file is read, the transaction is idle and no file is written: a transaction that is idle for a minute is ended, and
 * a file that does not change is considered abandoned.
 */
function createSignOfLife(transaction: JsonTransaction, file: PendingFile | null): () => Promise<void> {
  let saidAtMs = performance.now();
  return async () => {
    if (performance.now() - saidAtMs < signOfLifeEveryMs) return;
    await queryTexts(transaction, 'select', []);
    await file?.touch();
    saidAtMs = performance.now();
  };
}

async function findEqual(
  transaction: JsonTransaction,
  table: ArchivedTable,
  columns: readonly Column[],
  known: readonly Manifest[],
  { dir, signal }: { dir: string; signal: AbortSignal },
): Promise<Manifest | 'stopped' | null> {
  const candidates = known.filter((one) => haveSameNames(one.columns, columns));
  if (candidates.length === 0) return null;
  const sum = await sumTable(transaction, table.place, columns, signal);
  if (sum === null) return 'stopped';
  for (const candidate of candidates) {
    if (!isSame(candidate, sum)) continue;
    const damage = await findDamage(dir, candidate, { signal, onPart: createSignOfLife(transaction, null) });
    if (damage === null) return candidate;
  }
  return null;
}

async function writeArchive(
  transaction: JsonTransaction,
  table: ArchivedTable,
  columns: readonly Column[],
  { dir, signal }: { dir: string; signal: AbortSignal },
): Promise<Manifest | 'stopped'> {
  const { table: of, from, until, place } = table;
  const file = await createPendingFile(join(dir, `${place.name}.parquet`));
  try {
    const parquet = createParquetWriter(file, columns, { table: of, from, until });
    const sum = createRowSum();
    for await (const page of readTable(transaction, place, columns)) {
      if (signal.aborted) return 'stopped';
      for (const row of page) {
        sum.add(row);
        await parquet.add(row);
      }
    }
    await parquet.end();
    const sha256 = await file.end();
    const written = { ...sum.total(), bytes: file.bytes, sha256, columns: [...columns] };
    const onPart = createSignOfLife(transaction, file);
    const damage = await findDamageOfFile(file.path, written, { signal, onPart });
    if (damage !== null)
      throw new FileError(`${file.path}: the data read back differs from the data written (${damage}): check the disk`);
    const archivedAt = new Date().toISOString();
    return await publish(dir, file, { table: of, partition: place.name, from, until, ...written, archivedAt });
  } catch (thrown) {
    if (signal.aborted) return 'stopped';
    throw thrown;
  } finally {
    await file.discard();
  }
}

/** What happened to a table that was to be dropped. */
export type DropArchivedResult =
  | 'dropped'
  /** another process was first, or has attached it again */
  | 'gone'
  /** its rows differ from the archive's; nothing was done */
  | 'different'
  | 'stopped';

/**
 * Drops a table that was detached for this and has not been altered since, if it has exactly the rows of its archive. One
 * transaction compares and drops, holding the exclusive lock while it sums up the rows: only those who still read this table wait.
 *
 * @throws the database's error, such as a lock timeout
 */
export function dropArchived(
  database: Database,
  place: TableName,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<DropArchivedResult> {
  return withJsonTransaction(database, { lockTimeoutMs, commits: true }, async (transaction) => {
    await settleSession(transaction);
    if (!(await isAwaitingDrop(transaction, place))) return 'gone';
    await queryTexts(transaction, `lock table ${toTableSql(place)} in access exclusive mode`);
    if (!(await isAwaitingDrop(transaction, place))) return 'gone';
    const sum = await sumTable(transaction, place, await readColumns(transaction, place.name), signal);
    if (sum === null) return 'stopped';
    if (!isSame(sum, manifest)) return 'different';
    await queryTexts(transaction, `drop table ${toTableSql(place)}`);
    return 'dropped';
  });
}

function isOf({ table, from, until }: Manifest, wanted: Archived): boolean {
  return table === wanted.table && from === wanted.from && until === wanted.until;
}

function haveSameNames(a: readonly Column[], b: readonly Column[]): boolean {
  return a.length === b.length && a.every(({ name }, index) => name === b[index]?.name);
}
