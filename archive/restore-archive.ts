import { join } from 'node:path';
import { UsageError } from '../shared/platform/errors.ts';
import {
  type Database,
  executeWithJson,
  queryTexts,
  withJsonTransaction,
} from '../shared/platform/postgres/database.ts';
import { quoteIdentifier } from '../shared/platform/postgres/schema.ts';
import { type Column, type Row, readColumns, toPlain } from './columns.ts';
import type { Manifest } from './manifest.ts';
import { readParquet } from './parquet-reader.ts';
import { isSame, sumTable } from './row-sum.ts';
import { settleSession } from './session.ts';
import { findDamage } from './verify-archive.ts';

/** The rows of one statement end with whichever limit is reached first. */
const statementRows = 1_000;
const statementCharacters = 4 * 1_024 * 1_024;

const lockTimeoutMs = 3_000;

/** The name of a table for the rows of an archive: its table, and the first day, or the first and the last. */
export function restoredName({ table, from, until }: Manifest): string {
  const day = (iso: string): string => iso.slice(0, 10).replaceAll('-', '');
  const last = day(new Date(Date.parse(until) - 1).toISOString());
  return [`${table}_restored`, day(from), ...(last === day(from) ? [] : [last])].join('_');
}

/**
 * Creates a standalone table with the rows of an archive, all or none, and compares the sum of its rows with the archive's. It
 * has the columns, checks and indexes that the archive's table has now.
 *
 * @throws UsageError if a table with this name exists, Error if the archive is damaged or the rows differ
 */
export async function restoreArchive(
  database: Database,
  manifest: Manifest,
  options: { dir: string; into: string; signal: AbortSignal; onRows?: (rows: number) => void },
): Promise<void> {
  const { dir, into, signal, onRows } = options;
  const damage = await findDamage(dir, manifest, { signal });
  if (damage !== null) throw new Error(`${manifest.file} is damaged: ${damage}`);
  await withJsonTransaction(database, { lockTimeoutMs, commits: true }, async (transaction) => {
    await settleSession(transaction);
    const [[taken] = []] = await queryTexts(
      transaction,
      `select count(*)::text from pg_class where relname = $1 and relnamespace = to_regnamespace('sluice')`,
      [into],
    );
    if (taken !== '0')
      throw new UsageError(`the table ${into} already exists: drop it, or name another one with --into`);
    const target = `sluice.${quoteIdentifier(into)}`;
    await queryTexts(
      transaction,
      `create table ${target} (like sluice.${quoteIdentifier(manifest.table)} including all)`,
    );
    await addLackingColumns(transaction, target, into, manifest.columns);
    const insert = toInsert(target, manifest.columns);
    let rows = 0;
    for await (const page of toPages(join(dir, manifest.file), manifest.columns)) {
      signal.throwIfAborted();
      await executeWithJson(transaction, insert, JSON.stringify(page));
      rows += page.length;
      onRows?.(rows);
    }
    const sum = await sumTable(
      transaction,
      { schema: await schemaOf(transaction), name: into },
      manifest.columns,
      signal,
    );
    if (sum === null || !isSame(sum, manifest)) throw new Error('the restored rows differ from the archived rows');
  });
}

type Transaction = Parameters<typeof executeWithJson>[0];

async function schemaOf(transaction: Transaction): Promise<string> {
  const [[schema] = []] = await queryTexts(
    transaction,
    `select nspname::text from pg_namespace where oid = to_regnamespace('sluice')`,
  );
  return schema ?? '';
}

/** The table may have lost a column since. */
async function addLackingColumns(
  transaction: Transaction,
  target: string,
  name: string,
  columns: readonly Column[],
): Promise<void> {
  const there = new Set((await readColumns(transaction, name)).map((column) => column.name));
  for (const column of columns) {
    if (there.has(column.name)) continue;
    await queryTexts(transaction, `alter table ${target} add column ${quoteIdentifier(column.name)} ${column.type}`);
  }
}

function toInsert(target: string, columns: readonly Column[]): readonly [string, string] {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  // The types are those that PostgreSQL wrote itself. A default applies only to a column that the archive does not have.
  const values = columns.map(({ type }, index) => `(value ->> ${index})::${type}`).join(', ');
  return [
    `insert into ${target} (${names}) overriding system value select ${values} from jsonb_array_elements(`,
    '::jsonb) as value',
  ];
}

async function* toPages(path: string, columns: readonly Column[]): AsyncGenerator<Row[]> {
  let page: Row[] = [];
  let characters = 0;
  for await (const rows of readParquet(path, columns)) {
    for (const row of rows) {
      page.push(
        columns.map(({ kind }, index) => {
          const text = row[index] ?? null;
          return text === null ? null : toPlain(kind, text);
        }),
      );
      for (const text of row) characters += text?.length ?? 0;
      if (page.length < statementRows && characters < statementCharacters) continue;
      yield page;
      [page, characters] = [[], 0];
    }
  }
  if (page.length > 0) yield page;
}
