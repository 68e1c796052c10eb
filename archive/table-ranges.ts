import { queryTexts } from '../shared/platform/postgres/database.ts';
import { quoteIdentifier } from '../shared/platform/postgres/schema.ts';
import { type Column, type Session, toTextSql } from './columns.ts';

/** A table, by its name; identifiers cannot be bound as parameters. */
export interface TableName {
  schema: string;
  name: string;
}

/** A position in a table, as PostgreSQL writes a tuple id: `(block,tuple)`. */
export type Place = string;

export function toTableSql({ schema, name }: TableName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** The tables that hold the rows of a table: the table itself, or its partitions. */
export async function leavesOf(session: Session, table: TableName): Promise<TableName[]> {
  const leaves = await queryTexts(
    session,
    `with recursive part as (
       select pg_class.oid, relkind from pg_class join pg_namespace on pg_namespace.oid = relnamespace
       where relname = $2 and nspname = $1
       union all
       select child.oid, child.relkind from part
       join pg_inherits on inhparent = part.oid and part.relkind = 'p' join pg_class as child on child.oid = inhrelid)
     select nspname::text, relname::text
     from part join pg_class using (oid) join pg_namespace on pg_namespace.oid = relnamespace
     where part.relkind = 'r' order by 1, 2`,
    [table.schema, table.name],
  );
  return leaves.map(([schema, name]) => ({ schema: schema ?? '', name: name ?? '' }));
}

/** Blocks of one statement, at first and at most: 128 KiB and 32 MiB, plus what is stored out of line. */
const firstBlocks = 16;
const maxBlocks = 4_096;

/** After a slow statement, the next one covers half as many blocks; after a fast one, twice as many. */
const aimMs = 500;

/**
 * Walks through a table in physical order, range by range, each with a statement of its own. That needs no index and no sort,
 * and takes the same time for each range wherever it lies. `read` says how far it got if it did not reach the end of its
 * range.
 */
export async function* readRanges(
  session: Session,
  leaf: TableName,
  read: (from: Place, until: Place) => Promise<Place | null>,
): AsyncGenerator<void> {
  let blocks = firstBlocks;
  let from: Place = '(0,0)';
  let untilBlock = blocks;
  const end = await countBlocks(session, leaf);
  for (let block = 0; block < end; ) {
    const startedAt = performance.now();
    const reached = await read(from, `(${untilBlock},0)`);
    const isSlow = performance.now() - startedAt > aimMs || reached !== null;
    blocks = isSlow ? Math.max(1, Math.floor(blocks / 2)) : Math.min(maxBlocks, blocks * 2);
    if (reached === null) block = untilBlock;
    else block = Number(/^\((\d+),/.exec(reached)?.[1] ?? block);
    from = reached ?? `(${block},0)`;
    untilBlock = block + blocks;
    yield;
  }
}

async function countBlocks(session: Session, leaf: TableName): Promise<number> {
  const [[blocks] = []] = await queryTexts(
    session,
    `select (pg_relation_size($1::regclass) / current_setting('block_size')::int)::text`,
    [toTableSql(leaf)],
  );
  return Number(blocks);
}

/**
 * SQL for the first rows of a range, $1 to $2, up to a number of stored bytes, but at least one row. It returns `place`,
 * `found`, which is the number of rows in the range, and the texts of the columns as c0, c1 and so on. A value that is stored
 * out of line is read only if its row is among them: small rows before large ones make a large row's range a long one.
 */
export function toRangeSql(leaf: TableName, columns: readonly Column[], storedBytes: number): string {
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const stored = names.map((name) => `coalesce(pg_column_size(${name}), 0)`).join(' + ');
  const values = names.map((name, index) => `${name} as v${index}`).join(', ');
  const texts = columns.map(({ kind }, index) => `${toTextSql(kind, `v${index}`)} as c${index}`).join(', ');
  return `select place, found, ${texts} from (
      select ctid as place, count(*) over () as found, ${values},
        sum(${stored}) over (order by ctid rows unbounded preceding) - (${stored}) as stored_before
      from ${toTableSql(leaf)} where ctid > $1::tid and ctid < $2::tid) as sized
    where stored_before < ${storedBytes} offset 0`;
}
