import type pg from 'pg';
import { inSchema, quoteIdentifier } from '../shared/platform/postgres/schema.ts';

/** A line of the books: what became of one migration. */
export interface BookLine {
  name: string;
  checksum: string;
  /** false: begun, and not known to have ended */
  finished: boolean;
  /** it counts as not applied */
  rolledBack: boolean;
}

export const booksTable = 'sluice_migration';
export const prismaBooksTable = '_prisma_migrations';

/** Our own books. They are no table of Prisma's schema: they are there before the first migration. */
export const readBooksSql = `select name, checksum, finished_at is not null as finished, rolled_back_at is not null as "rolledBack"
  from sluice.${booksTable} order by started_at, name`;

/** The last word on each migration. One that failed comes before all, as Prisma has it: it applies nothing until that is resolved. */
const lastOfPrisma = `select distinct on (migration_name) migration_name as name, checksum, started_at, finished_at, rolled_back_at
  from sluice.${prismaBooksTable} where migration_name = any($1)
  order by migration_name, (finished_at is null and rolled_back_at is null) desc, (rolled_back_at is null) desc, started_at desc`;

/**
 * What earlier builds of Sluice, which migrated with Prisma's engine, have noted. $1: the names of our migrations, since the table may
 * be another application's as well.
 */
export const readPrismaBooksSql = `select name, checksum, finished_at is not null as finished, rolled_back_at is not null as "rolledBack"
  from (${lastOfPrisma}) as last order by started_at, name`;

const makeBooksSql = `create table sluice.${booksTable} (
  name text primary key,
  checksum text not null,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  rolled_back_at timestamptz,
  applied_by uuid)`;

const takeOverSql = `insert into sluice.${booksTable} (name, checksum, started_at, finished_at, rolled_back_at)
  select name, checksum, started_at, finished_at, rolled_back_at from (${lastOfPrisma}) as last`;

const noteSql = `insert into sluice.${booksTable} (name, checksum, finished_at, rolled_back_at, applied_by)
  values ($1, $2, case when $3 then clock_timestamp() end, case when $4 then clock_timestamp() end, $5)
  on conflict (name) do update set checksum = excluded.checksum, finished_at = excluded.finished_at,
    rolled_back_at = excluded.rolled_back_at, applied_by = excluded.applied_by`;

const findAppliedSql = `select applied_by as by from sluice.${booksTable}
  where name = $1 and finished_at is not null and rolled_back_at is null`;

/** Which of the two there are. Prisma's count only where they may be read: they may be another application's. */
export const findBooksSql = `select relname::text as name from pg_class
  where relnamespace = to_regnamespace('sluice') and (relname = '${booksTable}' or relname = '${prismaBooksTable}' and has_table_privilege(oid, 'select'))`;

export async function hasOwnBooks(client: pg.ClientBase, schema: string): Promise<boolean> {
  return (await findBooks(client, schema)).includes(booksTable);
}

/**
 * Reads our books, or where there are none yet, our lines in Prisma's.
 *
 * @param names of the migrations of this build
 */
export async function readBooks(client: pg.ClientBase, schema: string, names: readonly string[]): Promise<BookLine[]> {
  const found = await findBooks(client, schema);
  if (found.includes(booksTable)) return ask(client, schema, readBooksSql);
  return found.includes(prismaBooksTable) ? ask(client, schema, readPrismaBooksSql, [names]) : [];
}

/** Makes the books where there are none, and takes over what earlier builds noted in Prisma's. Those stay as they are. */
export async function keepBooks(client: pg.ClientBase, schema: string, names: readonly string[]): Promise<void> {
  const found = await findBooks(client, schema);
  if (found.includes(booksTable)) return;
  await ask(client, schema, makeBooksSql);
  if (found.includes(prismaBooksTable)) await ask(client, schema, takeOverSql, [names]);
}

/** Writes down how a migration is. What stood there of it before is replaced. */
export async function note(
  client: pg.ClientBase,
  schema: string,
  { name, checksum, state, by }: NewLine,
): Promise<void> {
  await ask(client, schema, noteSql, [name, checksum, state === 'applied', state === 'rolled back', by]);
}

interface NewLine {
  name: string;
  checksum: string;
  state: 'begun' | 'applied' | 'rolled back';
  /** the call of migrate() that applies it; null when a person says so */
  by: string | null;
}

/** Which call of migrate() has applied a migration, when it is applied. */
export async function findApplied(
  client: pg.ClientBase,
  schema: string,
  name: string,
): Promise<{ by: string | null } | null> {
  const [line] = await ask<{ by: string | null }>(client, schema, findAppliedSql, [name]);
  return line ?? null;
}

async function findBooks(client: pg.ClientBase, schema: string): Promise<string[]> {
  return (await ask<{ name: string }>(client, schema, findBooksSql)).map(({ name }) => name);
}

async function ask<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  schema: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return (await client.query<Row>(inSchema(sql, quoteIdentifier(schema)), values)).rows;
}
