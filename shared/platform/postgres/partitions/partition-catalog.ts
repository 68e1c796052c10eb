import { type Database, Prisma, type Transaction } from '../database.ts';
import { quoteIdentifier } from '../schema.ts';
import { type PartitionBounds, parseBounds } from './partition-bounds.ts';

/** A partition as the catalog has it. */
export interface Partition {
  schema: string;
  name: string;
  bounds: PartitionBounds;
  /**
   * whether it may be dropped at all: a plain or partitioned table in the schema of Sluice that nobody is just detaching.
   * Who detaches a partition wants to keep it.
   */
  isDroppable: boolean;
}

/** What a table consists of, and the time by the database's clock when that was so. */
export interface PartitionCatalog {
  partitions: Partition[];
  databaseMs: number;
}

/** Each statement in it has the statement timeout; Prisma's own limit, five seconds by default, is only there for a hang. */
export const transactionLimits = { maxWait: 10_000, timeout: 60_000 };

/** The partitions of a table in the schema of Sluice, by their bounds; none when there is no such table. Locks nothing. */
export function readPartitions(database: Database, table: string): Promise<PartitionCatalog> {
  return database.$transaction((transaction) => readPartitionsWithin(transaction, table), transactionLimits);
}

/** The same within a transaction, whose time zone and date style it sets: bounds are printed by them. */
export async function readPartitionsWithin(transaction: Transaction, table: string): Promise<PartitionCatalog> {
  await transaction.$executeRaw`select set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true)`;
  // Read by way of JSON, as PostgreSQL 13 has no such column.
  const rows = await transaction.$queryRaw<{ schema: string; name: string; bound: string; isDroppable: boolean }[]>`
    select space.nspname as schema, child.relname as name, pg_get_expr(child.relpartbound, child.oid) as bound,
      child.relnamespace = to_regnamespace('sluice') and child.relkind in ('r', 'p')
        and not coalesce((to_jsonb(inherits) ->> 'inhdetachpending')::boolean, false) as "isDroppable"
    from pg_inherits as inherits
    join pg_class as parent on parent.oid = inherits.inhparent
    join pg_class as child on child.oid = inherits.inhrelid
    join pg_namespace as space on space.oid = child.relnamespace
    where parent.relname = ${table} and parent.relnamespace = to_regnamespace('sluice')
    order by child.relname`;
  const [clock] = await transaction.$queryRaw<{ ms: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  return {
    partitions: rows.map(({ bound, ...partition }) => ({ ...partition, bounds: parseBounds(bound) })),
    databaseMs: clock?.ms ?? Number.NaN,
  };
}

/** A table's name as SQL. Identifiers cannot be bound. */
export function quoteTable({ schema, name }: { schema: string; name: string }): Prisma.Sql {
  return Prisma.raw(`${quoteIdentifier(schema)}.${quoteIdentifier(name)}`);
}
