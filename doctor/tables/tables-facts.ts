import { type DeadLetterGroup, groupDeadLetters } from '../../dead-letters/read.ts';
import {
  type BookLine,
  booksTable,
  findBooksSql,
  prismaBooksTable,
  readBooksSql,
  readPrismaBooksSql,
} from '../../prisma/migration-books.ts';
import { type Migration, readMigrations } from '../../prisma/migration-files.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import type { DayPartition } from '../../shared/platform/postgres/partitions/partition-spans.ts';
import { executionLogTable, findMissingPartitions } from '../../shared/platform/postgres/partitions/partitions.ts';
import type { Answer } from '../answer.ts';
import type { PostgresConnection } from '../postgres/postgres-facts.ts';

/** The tables that workers add rows to, and `sluice prices import`. */
const filledTables = [
  executionLogTable,
  'dead_letter',
  'request',
  'request_template',
  'request_tombstone',
  'creator_erasure',
  'subject_erasure',
  'health_event_watermark',
  'stream_offset',
  'stream_lease',
  'lobby_outbox',
  'price',
  'ledger_chunk',
  'ledger_life',
  'ledger_minute',
];
/** Tables whose rows are updated, or locked before they are deleted. Other services create the records of games. */
const updatedTables = [
  'dead_letter',
  'request',
  'request_tombstone',
  'creator_erasure',
  'subject_erasure',
  'runtime_record',
  'health_event_watermark',
  'stream_offset',
  'stream_lease',
  'ledger_chunk',
  'ledger_life',
  'ledger_minute',
];
/** Tables whose rows are deleted when they are due; old executions go with their partition. */
const purgedTables = [
  'dead_letter',
  'request',
  'request_template',
  'request_tombstone',
  'creator_erasure',
  'subject_erasure',
  'lobby_outbox',
  'ledger_life',
  'ledger_minute',
];
/** A table that workers neither read nor write: people name strategies and creators in it. */
const namesTable = 'display_name';
/** All of these tables. */
export const tables: readonly string[] = [...new Set([...filledTables, ...updatedTables, ...purgedTables, namesTable])];
/** What may be large in them, and is compressed. */
const largeColumns: Readonly<Record<string, readonly string[]>> = {
  [executionLogTable]: ['trace', 'input'],
  request: ['response_body'],
  request_template: ['body'],
  dead_letter: ['payload'],
};
/** The sequence that numbers the rows of the outbox. */
const sequence = 'lobby_outbox_seq_seq';

/** The contents of Sluice's tables, and who is working on them. Null: the table does not exist. */
export interface TablesFacts {
  /** empty if the table of migrations does not exist either */
  migrations: Answer<BookLine[]>;
  rights: Answer<Rights | null>;
  /** of the days asked for, those that have only the DEFAULT partition */
  missingDays: Answer<DayPartition[] | null>;
  /** rows of the DEFAULT partition, counted up to `strayRowsCounted` */
  strayRows: Answer<number | null>;
  locks: Answer<Locks>;
  lockTable: Answer<LockTable | null>;
  compression: Answer<Compression | null>;
  /** open dead letters by cause, the most numerous first, at most `deadLetterCauses` + 1 of them */
  deadLetters: Answer<DeadLetterGroup[] | null>;
  /** ended requests whose bodies nobody has read for their facts, counted up to `unreadRequestsCounted` */
  unreadRequests: Answer<number | null>;
}

/** A migration of this build. */
export type KnownMigration = Pick<Migration, 'name' | 'checksum'>;

/** What the user in DATABASE_URL may do. */
export interface Rights {
  mayWrite: boolean;
  /** delete rows that are due, as the purge of the maintenance role does */
  mayPurge: boolean;
  /** create partitions: owns the partitioned table, and may create tables in its schema */
  mayPartition: boolean;
}

/** Who is waiting for locks on Sluice's tables. */
export interface Locks {
  /** sessions that wait for a lock on one of the tables */
  waiting: number;
  /** seconds since the start of the oldest open transaction that holds such a lock; null if there is none */
  oldestTransactionSeconds: number | null;
}

/** How many locks the server has room for, and how many a statement over all of time takes. */
export interface LockTable {
  maxLocksPerTransaction: number;
  /** sessions and prepared transactions that the lock table is sized for: max_connections + max_prepared_transactions */
  holders: number;
  partitions: number;
  /** tables and indexes of all partitions */
  relations: number;
}

/** How large columns are compressed. */
export interface Compression {
  /** whether the server was built with lz4 */
  hasLz4: boolean;
  /** what the server takes where nobody has chosen: `pglz` or `lz4` */
  serverDefault: string;
  /** the method by table, as SQL names it, and column; null where nobody has chosen one */
  columns: { table: string; column: string; method: string | null }[];
}

export const strayRowsCounted = 1_000;
export const deadLetterCauses = 5;
export const unreadRequestsCounted = 1_000;

/** Reads the tables' state. Each question stands alone, so one that waits for a lock does not hold up the others. */
export async function readTablesFacts(
  { database, ask }: PostgresConnection,
  days: readonly DayPartition[],
): Promise<TablesFacts> {
  const [migrations, rights, missingDays, strayRows, locks, lockTable, compression, deadLetters, unread] =
    await Promise.all([
      ask(() => readApplied(database)),
      ask(() => readRights(database)),
      ask(() => ifThere(database, executionLogTable, () => findMissingPartitions(database, executionLogTable, days))),
      ask(() => countStrayRows(database)),
      ask(() => readLocks(database)),
      ask(() => readLockTable(database)),
      ask(() => readCompression(database)),
      ask(() =>
        ifThere(database, 'dead_letter', () => groupDeadLetters(database, { state: 'open' }, deadLetterCauses + 1)),
      ),
      ask(() => ifThere(database, 'request_unread_idx', () => countUnreadRequests(database))),
    ]);
  return {
    ...{ migrations, rights, missingDays, strayRows, locks, lockTable, compression, deadLetters },
    unreadRequests: unread,
  };
}

/** The migrations in this build, oldest first. */
export async function readKnownMigrations(): Promise<KnownMigration[]> {
  return (await readMigrations()).map(({ name, checksum }) => ({ name, checksum }));
}

async function readApplied(database: Database): Promise<BookLine[]> {
  const found = (await database.$queryRawUnsafe<{ name: string }[]>(findBooksSql)).map(({ name }) => name);
  if (found.includes(booksTable)) return database.$queryRawUnsafe<BookLine[]>(readBooksSql);
  if (!found.includes(prismaBooksTable)) return [];
  const names = (await readKnownMigrations()).map(({ name }) => name);
  return database.$queryRawUnsafe<BookLine[]>(readPrismaBooksSql, names);
}

async function readRights(database: Database): Promise<Rights | null> {
  const [rights] = await database.$queryRaw<Rights[]>`
    select bool_and(case when relname = ${sequence} then has_sequence_privilege(oid, 'usage')
        else has_table_privilege(oid, 'select')
          and (relname <> all(${filledTables}::text[]) or has_table_privilege(oid, 'insert'))
          and (relname <> all(${updatedTables}::text[]) or has_table_privilege(oid, 'update')) end) as "mayWrite",
      bool_and(relname <> all(${purgedTables}::text[]) or has_table_privilege(oid, 'delete')) as "mayPurge",
      bool_and(relname <> ${executionLogTable} or pg_has_role(relowner, 'usage')) and has_schema_privilege(to_regnamespace('sluice'), 'create') as "mayPartition"
    from pg_class where relname = any(${[...tables, sequence]}::text[]) and relnamespace = to_regnamespace('sluice')
    having count(*) = ${tables.length + 1}`;
  return rights ?? null;
}

async function countStrayRows(database: Database): Promise<number | null> {
  const [table] = await database.$queryRaw<{ name: string }[]>`
    select partdefid::regclass::text as name from pg_partitioned_table
    where partrelid = to_regclass('sluice.strategy_execution_log') and partdefid <> 0`;
  if (table === undefined) return null;
  // The name comes from the server, quoted where necessary. Counting all rows would read a large table to the end.
  const [row] = await database.$queryRaw<{ n: number }[]>(
    Prisma.raw(`select count(*)::int as n from (select from ${table.name} limit ${strayRowsCounted}) as some_rows`),
  );
  return row?.n ?? 0;
}

/** By an index that has just these rows. */
async function countUnreadRequests(database: Database): Promise<number> {
  const [row] = await database.$queryRaw<{ n: number }[]>`
    select count(*)::int as n from (
      select from sluice.request where facts_version is null and state in ('completed', 'failed', 'canceled')
      limit ${unreadRequestsCounted}) as some_rows`;
  return row?.n ?? 0;
}

/** A partition is a table of its own; locks are held on it as well as on its parent. */
async function readLocks(database: Database): Promise<Locks> {
  const [locks] = await database.$queryRaw<Locks[]>`
    with ours as (
      select oid from pg_class where relname = any(${tables}::text[]) and relnamespace = to_regnamespace('sluice')
      union select inhrelid from pg_inherits where inhparent = to_regclass('sluice.strategy_execution_log'))
    select (count(distinct l.pid) filter (where not l.granted))::int as waiting,
      extract(epoch from now() - min(a.xact_start) filter (where l.granted and a.backend_type = 'client backend'))::float8 as "oldestTransactionSeconds"
    from pg_locks l join ours on l.relation = ours.oid left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
      and a.application_name is distinct from 'sluice doctor'`;
  return locks ?? { waiting: 0, oldestTransactionSeconds: null };
}

async function readLockTable(database: Database): Promise<LockTable | null> {
  const [table] = await database.$queryRaw<LockTable[]>`
    select current_setting('max_locks_per_transaction')::int as "maxLocksPerTransaction",
      current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int as holders,
      count(distinct inhrelid)::int as partitions, (count(distinct inhrelid) + count(indexrelid))::int as relations
    from pg_inherits left join pg_index on indrelid = inhrelid
    where inhparent = (select oid from pg_class where relname = ${executionLogTable} and relnamespace = to_regnamespace('sluice'))`;
  return table === undefined || table.partitions === 0 ? null : table;
}

/** Before PostgreSQL 14 there is no choice, and no column of the catalog to read it from. */
async function readCompression(database: Database): Promise<Compression | null> {
  const names = Object.entries(largeColumns).flatMap(([table, columns]) => columns.map((column) => [table, column]));
  const [compression] = await database.$queryRaw<Compression[]>`
    select coalesce((select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression'), false) as "hasLz4",
      coalesce(current_setting('default_toast_compression', true), 'pglz') as "serverDefault",
      json_agg(json_build_object('table', pg_class.oid::regclass::text, 'column', attname,
        'method', case to_jsonb(pg_attribute)->>'attcompression' when 'p' then 'pglz' when 'l' then 'lz4' end) order by n) as columns
    from unnest(${names.map(([table]) => table)}::text[], ${names.map(([, column]) => column)}::text[])
      with ordinality as large (table_name, column_name, n)
    join pg_class on relname = table_name and relnamespace = to_regnamespace('sluice')
    join pg_attribute on attrelid = pg_class.oid and attname = column_name
    having count(*) > 0`;
  return compression ?? null;
}

/** Asks only if the table exists: before the migrations it does not, which is reported once, elsewhere. */
export async function ifThere<T>(database: Database, table: string, question: () => Promise<T>): Promise<T | null> {
  const [row] = await database.$queryRaw<{ there: boolean }[]>`select count(*) > 0 as there from pg_class
    where relname = ${table} and relnamespace = to_regnamespace('sluice')`;
  return row?.there ? question() : null;
}
