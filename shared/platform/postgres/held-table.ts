import { type Database, Prisma, type Transaction } from './database.ts';
import { classifyDatabaseError, lockNotAvailable, undefinedTable } from './database-errors.ts';
import { quoteTable } from './partitions/partition-catalog.ts';
import { quoteIdentifier, quoteLiteral } from './schema.ts';

/** A table by what stays, and by its name, which may come to mean another table. */
export interface TableIdentity {
  oid: string;
  schema: string;
  name: string;
}

/** Where a table's rows are now. */
export interface TablePlace extends TableIdentity {
  /** another one when the table was written anew: its rows lie elsewhere then */
  file: string;
  pages: number;
  /** no page has more */
  rowsPerPage: number;
}

/** The name that was looked up means another table now, or none. */
export class TableMoved extends Error {}

/** Somebody has locked the table, or waits for a lock. */
export class TableBusy extends Error {}

/** @returns null when it is gone */
export async function findTable(database: Database, oid: string): Promise<TablePlace | null> {
  // Each row takes a line pointer of 4 bytes and a header of 23, which is padded to 24. So does the head of the page.
  const [place] = await database.$queryRaw<TablePlace[]>(Prisma.sql`
    select class.oid::text as oid, space.nspname as schema, class.relname as name,
      pg_relation_filenode(class.oid)::text as file, (pg_relation_size(class.oid) / page.bytes)::float8 as pages,
      ((page.bytes - 24) / 28)::int as "rowsPerPage"
    from pg_class as class join pg_namespace as space on space.oid = class.relnamespace,
      (select current_setting('block_size')::bigint as bytes) as page
    where class.oid = ${oid}::oid`);
  // A table that goes in this moment has a name still, and no size.
  return place === undefined || place.pages === null ? null : place;
}

/**
 * Makes sure, until the transaction ends, that the name means this table. The lock comes first: from then on the name stays. It is
 * the lock of what follows, since a weaker one that becomes stronger is how deadlocks come about.
 *
 * @param mode with `nowait` the lock is not waited for: who waits looks like a reader to those that exchange tables, and has
 *   them give up
 * @throws TableMoved, TableBusy when the lock is not waited for, or what else the database says
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

/** What a name means now. Not by way of pg_class, which a transaction with an older snapshot sees as it was. */
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
