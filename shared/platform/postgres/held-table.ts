import { type Database, Prisma, type Transaction } from './database.ts';
import { classifyDatabaseError, lockNotAvailable, undefinedTable } from './database-errors.ts';
import { quoteTable } from './partitions/partition-catalog.ts';
import { quoteIdentifier, quoteLiteral } from './schema.ts';

/** A table by its oid, which stays, and by its name, which may come to mean another table. */
export interface TableIdentity {
  oid: string;
  schema: string;
  name: string;
}

/** Where a table's rows are now. */
export interface TablePlace extends TableIdentity {
  /** changes if the table is rewritten: its rows are elsewhere then */
  file: string;
  pages: number;
  /** no page has more */
  rowsPerPage: number;
}

/** The name that was looked up now means another table, or none. */
export class TableMoved extends Error {}

/** Somebody has locked the table, or is waiting for a lock. */
export class TableBusy extends Error {}

/** @returns null if it is gone */
export async function findTable(database: Database, oid: string): Promise<TablePlace | null> {
  // Each row takes a line pointer of 4 bytes, and a header of 23 that is padded to 24. The page header is 24 bytes as well.
  const [place] = await database.$queryRaw<TablePlace[]>(Prisma.sql`
    select class.oid::text as oid, space.nspname as schema, class.relname as name,
      pg_relation_filenode(class.oid)::text as file, (pg_relation_size(class.oid) / page.bytes)::float8 as pages,
      ((page.bytes - 24) / 28)::int as "rowsPerPage"
    from pg_class as class join pg_namespace as space on space.oid = class.relnamespace,
      (select current_setting('block_size')::bigint as bytes) as page
    where class.oid = ${oid}::oid`);
  // A table that is being dropped still has a name, but no size.
  return place === undefined || place.pages === null ? null : place;
}

/**
 * Makes sure, until the transaction ends, that the name means this table. It locks first: from then on the name stays. It takes
 * the lock that the following statement needs, because upgrading a weaker one is how deadlocks arise.
 *
 * @param mode with `nowait` it does not wait for the lock: whoever waits looks like a reader to those that swap tables, and
 *   makes them give up
 * @throws TableMoved, TableBusy with `nowait`, or any other error of the database
 */
export async function holdTable(
  transaction: Transaction,
  table: TableIdentity,
  mode: 'access share mode nowait' | 'row exclusive mode nowait' | 'row exclusive mode' | 'access exclusive mode',
): Promise<void> {
  try {
    await transaction.$executeRaw(Prisma.sql`lock table only ${quoteTable(table)} in ${Prisma.raw(mode)}`);
  } catch (error) {
    const { code } = classifyDatabaseError(error);
    if (code === undefinedTable) throw new TableMoved();
    if (code !== lockNotAvailable || !mode.endsWith('nowait')) throw error;
    throw new TableBusy('a table is locked for too long', { cause: error });
  }
  if ((await readOid(transaction, table)) !== table.oid) throw new TableMoved();
}

/** What a name means now. Not through pg_class, which an older snapshot may see in an earlier state. */
export async function readOid(
  transaction: Transaction,
  { schema, name }: Pick<TableIdentity, 'schema' | 'name'>,
): Promise<string> {
  const text = quoteLiteral(`${quoteIdentifier(schema)}.${quoteIdentifier(name)}`);
  const [found] = await transaction.$queryRaw<{ oid: string }[]>(
    Prisma.raw(`select ${text}::regclass::oid::text as oid`),
  );
  return found?.oid ?? '';
}
