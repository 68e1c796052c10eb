import { type DeadLetterGroup, groupDeadLetters } from '../../dead-letters/read.ts';
import {
  type BookLine,
  booksTable,
  findBooksSql,
  prismaBooksTable,
  readBooksSql,
  readPrismaBooksSql,
} from '../../prisma/migration-books.ts';
import { readMigrations } from '../../prisma/migration-files.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import type { DayPartition } from '../../shared/platform/postgres/partitions/partition-spans.ts';
import { executionLogTable, findMissingPartitions } from '../../shared/platform/postgres/partitions/partitions.ts';
import type { Answer } from '../answer.ts';
import type { PostgresConnection } from '../postgres/postgres-facts.ts';

/** The tables that workers add rows to. */
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
];
/** Those with rows that change or are locked before they go. The records of games are made by other services. */
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
];
/** Those whose rows are deleted when they are due; old executions go with their partition. */
const purgedTables = [
  'dead_letter',
  'request',
  'request_template',
  'request_tombstone',
  'creator_erasure',
  'subject_erasure',
  'lobby_outbox',
];
/** All of them. */
export const tables: readonly string[] = [...new Set([...filledTables, ...updatedTables, ...purgedTables])];
/** What numbers the rows of the outbox. */
const sequence = 'lobby_outbox_seq_seq';

/** What stands in the tables of Sluice, and who is at work on them. What is null is not there. */
export interface TablesFacts {
  /** empty when there are no books, either */
  migrations: Answer<BookLine[]>;
  rights: Answer<Rights | null>;
  /** of the days asked for, those that have no place but the DEFAULT partition */
  missingDays: Answer<DayPartition[] | null>;
  /** rows of the DEFAULT partition, counted up to `strayRowsCounted` */
  strayRows: Answer<number | null>;
  locks: Answer<Locks>;
  lockTable: Answer<LockTable | null>;
  /** open dead letters by cause, the most numerous first, at most `deadLetterCauses` + 1 of them */
  deadLetters: Answer<DeadLetterGroup[] | null>;
}

/** A migration of this build. */
export interface KnownMigration {
  name: string;
  checksum: string;
}

/** What the user of DATABASE_URL may do. */
export interface Rights {
  mayWrite: boolean;
  /** delete what is due, as the purge of the role maintenance does */
  mayPurge: boolean;
  /** make partitions: owns the partitioned table, and may make tables in its schema */
  mayPartition: boolean;
}

/** Who waits for whom at the tables of Sluice. */
export interface Locks {
  /** sessions that wait for a lock on one of the tables */
  waiting: number;
  /** seconds since the oldest open transaction that holds such a lock began; null when there is none */
  oldestTransactionSeconds: number | null;
}

/** How many locks the server has room for, and what a statement over all of time takes. */
export interface LockTable {
  maxLocksPerTransaction: number;
  /** sessions and prepared transactions that the room is counted for: max_connections + max_prepared_transactions */
  holders: number;
  partitions: number;
  /** tables and indexes of all partitions */
  relations: number;
}

export const strayRowsCounted = 1_000;
export const deadLetterCauses = 5;

/** Looks at the tables, each question for itself: one that a lock holds up does not take the others with it. */
export async function readTablesFacts(
  { database, ask }: PostgresConnection,
  days: readonly DayPartition[],
): Promise<TablesFacts> {
  const [migrations, rights, missingDays, strayRows, locks, lockTable, deadLetters] = await Promise.all([
    ask(() => readApplied(database)),
    ask(() => readRights(database)),
    ask(() => ifThere(database, executionLogTable, () => findMissingPartitions(database, executionLogTable, days))),
    ask(() => countStrayRows(database)),
    ask(() => readLocks(database)),
    ask(() => readLockTable(database)),
    ask(() =>
      ifThere(database, 'dead_letter', () => groupDeadLetters(database, { state: 'open' }, deadLetterCauses + 1)),
    ),
  ]);
  return { migrations, rights, missingDays, strayRows, locks, lockTable, deadLetters };
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
  // The name comes from the server, quoted where it has to be; a count of all would read a large table to its end.
  const [row] = await database.$queryRaw<{ n: number }[]>(
    Prisma.raw(`select count(*)::int as n from (select from ${table.name} limit ${strayRowsCounted}) as some_rows`),
  );
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

/** Asks only when the table is there: before the migrations it is not, and that is said once, elsewhere. */
export async function ifThere<T>(database: Database, table: string, question: () => Promise<T>): Promise<T | null> {
  const [row] = await database.$queryRaw<{ there: boolean }[]>`select count(*) > 0 as there from pg_class
    where relname = ${table} and relnamespace = to_regnamespace('sluice')`;
  return row?.there ? question() : null;
}
