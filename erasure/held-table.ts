import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import {
  classifyDatabaseError,
  lockNotAvailable,
  undefinedTable,
} from '../shared/platform/postgres/database-errors.ts';
import { quoteTable } from '../shared/platform/postgres/partitions/partition-catalog.ts';
import { quoteIdentifier, quoteLiteral } from '../shared/platform/postgres/schema.ts';

/** A table with rows of its own, so not a partitioned one. Its name may come to mean another table. */
export interface PlainTable {
  oid: string;
  schema: string;
  name: string;
}

/** Where a table's rows are now. */
export interface TablePlace extends PlainTable {
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
 * the lock that the following statement needs, because upgrading a weaker one is how deadlocks arise. It does not wait for the
 * lock: whoever waits looks like a reader to those that swap tables, and makes them give up.
 *
 * @throws TableMoved, TableBusy, or any other error of the database
 */
export async function holdTable(
  transaction: Pick<Database, '$queryRaw' | '$executeRaw'>,
  table: PlainTable,
  mode: 'access share' | 'row exclusive',
): Promise<void> {
  try {
    await transaction.$executeRaw(Prisma.sql`lock table only ${quoteTable(table)} in ${Prisma.raw(mode)} mode nowait`);
  } catch (error) {
    const { code } = classifyDatabaseError(error);
    if (code === undefinedTable) throw new TableMoved();
    throw code === lockNotAvailable ? new TableBusy('a table is locked for too long', { cause: error }) : error;
  }
  const name = quoteLiteral(`${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`);
  // Not through pg_class, which an older snapshot may see in an earlier state.
  const [held] = await transaction.$queryRaw<{ oid: string }[]>(
    Prisma.raw(`select ${name}::regclass::oid::text as oid`),
  );
  if (held?.oid !== table.oid) throw new TableMoved();
}
