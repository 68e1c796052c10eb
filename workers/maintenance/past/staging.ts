import { type Database, Prisma, type Transaction } from '../../../shared/platform/postgres/database.ts';
import { holdTable, readOid, type TableIdentity, TableMoved } from '../../../shared/platform/postgres/held-table.ts';
import { setLockLimits } from '../../../shared/platform/postgres/lock-limits.ts';
import {
  type Partition,
  quoteTable,
  transactionLimits,
} from '../../../shared/platform/postgres/partitions/partition-catalog.ts';
import { grantAlike, takeAfterTable } from '../../../shared/platform/postgres/partitions/partition-rights.ts';
import type { DayPartition } from '../../../shared/platform/postgres/partitions/partition-spans.ts';

/** What is there while rows are copied. Nobody but the mover reads it; who finds it left behind takes it away. */
export const staging = {
  /** a partitioned table like the real one, with the coming partitions and the coming DEFAULT one */
  all: 'sluice_moving_all',
  /** the coming DEFAULT partition */
  rest: 'sluice_moving_rest',
  /** keys of rows of the DEFAULT partition that came, changed or went meanwhile */
  changes: 'sluice_moving_changes',
  /** trigger and function that note them */
  note: 'sluice_moving_note',
  /** proves of a partition that its rows are of its span, so that nobody has to look when it is attached */
  span: 'sluice_moving_span',
} as const;

/** A vacuum of a copy would be in the way of the exchange, which turns it on again. */
export const untouched = 'autovacuum_enabled = false';

/** The tables that a move has made. Their names are those of every move. */
export interface Staging {
  all: TableIdentity;
  changes: TableIdentity;
  /** of the DEFAULT partition when the copy began: who writes it anew or empties it gives it another one */
  filenode: string;
}

const changeTimeoutMs = 2_000;
/** Copies that nobody reads may take a while to be removed. */
const dropTimeoutMs = 50_000;

/**
 * Makes the tables and has changes noted from here on: what is written to the DEFAULT partition and not noted, is committed.
 * Waits for its writers, for half a second at most.
 */
export async function makeStaging(
  database: Database,
  options: { table: string; catchAll: Partition; partitions: readonly DayPartition[] },
): Promise<Staging> {
  const { table, catchAll, partitions } = options;
  const from = quoteTable(catchAll);
  return database.$transaction(async (transaction) => {
    await setLockLimits(transaction, { statementMs: changeTimeoutMs });
    const run = (sql: Prisma.Sql): Promise<number> => transaction.$executeRaw(sql);
    await run(
      raw(`create table sluice.${staging.all} (like sluice."${table}" including all) partition by range (recorded_at)`),
    );
    for (const { name, from: since, until } of partitions) {
      await run(
        raw(
          `create table sluice."${name}" partition of sluice.${staging.all} (constraint ${staging.span}
            check (recorded_at >= '${since}' and recorded_at < '${until}')) for values from ('${since}') to ('${until}') with (${untouched})`,
        ),
      );
    }
    await run(
      raw(`create table sluice.${staging.rest} partition of sluice.${staging.all} default with (${untouched})`),
    );
    for (const name of [...partitions.map((partition) => partition.name), staging.rest])
      await takeAfterTable(transaction, table, name);
    // Who may read or write the DEFAULT partition by its name may do so with the one that takes its place.
    await grantAlike(transaction, oidOf(catchAll), staging.rest);
    await run(
      raw(`create table sluice.${staging.changes}
        (n bigint generated always as identity primary key, id uuid not null, recorded_at timestamptz not null)`),
    );
    // Whoever may write rows may have them noted, without a right of its own.
    await run(
      raw(`create function sluice.${staging.note}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
        begin
          if tg_op <> 'INSERT' then
            insert into sluice.${staging.changes} (id, recorded_at) values (old.id, old.recorded_at);
            if tg_op = 'UPDATE' and (new.id, new.recorded_at) = (old.id, old.recorded_at) then return null; end if;
          end if;
          if tg_op <> 'DELETE' then
            insert into sluice.${staging.changes} (id, recorded_at) values (new.id, new.recorded_at);
          end if;
          return null;
        end $$`),
    );
    await run(
      Prisma.sql`create trigger ${raw(staging.note)} after insert or update or delete on ${from}
        for each row execute function ${raw(`sluice.${staging.note}()`)}`,
    );
    // Also for sessions that replicate or restore.
    await run(Prisma.sql`alter table ${from} enable always trigger ${raw(staging.note)}`);
    const find = async (name: string): Promise<TableIdentity> => {
      const table = { schema: catchAll.schema, name };
      return { ...table, oid: await readOid(transaction, table) };
    };
    return {
      all: await find(staging.all),
      changes: await find(staging.changes),
      filenode: await filenodeOf(transaction, catchAll),
    };
  }, transactionLimits);
}

/**
 * Makes sure, with a lock on it, that the DEFAULT partition is the file that was copied page by page. VACUUM FULL, CLUSTER and TRUNCATE
 * fire no trigger, and leave rows where the copy has been already, or none.
 *
 * @throws Error that ends the move
 */
export async function checkFile(transaction: Transaction, catchAll: Partition, { filenode }: Staging): Promise<void> {
  if ((await filenodeOf(transaction, catchAll)) === filenode) return;
  throw new Error(
    'the DEFAULT partition was rewritten or truncated while its rows were copied; the next run starts again',
  );
}

async function filenodeOf(transaction: Transaction, catchAll: Partition): Promise<string> {
  const [file] = await transaction.$queryRaw<{ node: string }[]>(
    Prisma.sql`select pg_relation_filenode(${oidOf(catchAll)})::text as node`,
  );
  return file?.node ?? '';
}

/** Whether somebody moves rows, or died over it. */
export async function hasStaging(database: Database): Promise<boolean> {
  const [there] = await database.$queryRaw<{ any: boolean }[]>`
    select count(*) > 0 as any from pg_class where relnamespace = to_regnamespace('sluice')
      and relname in (${staging.all}, ${staging.changes})`;
  return there?.any ?? false;
}

/**
 * Takes away what is left of a move. Rows are all in the DEFAULT partition still. The copies go first, which needs no lock
 * of the DEFAULT partition.
 *
 * @param mine leaves that of any other move alone. @default whoever made it
 */
export async function dropStaging(database: Database, mine?: Staging): Promise<void> {
  if (!(await hasStaging(database))) return;
  await database
    .$transaction(async (transaction) => {
      await setLockLimits(transaction, { statementMs: dropTimeoutMs });
      if (mine !== undefined) await holdTable(transaction, mine.all, 'access exclusive mode');
      await transaction.$executeRaw(raw(`drop table if exists sluice.${staging.all}`));
    }, transactionLimits)
    .catch(unlessMoved);
  await database
    .$transaction(async (transaction) => {
      await setLockLimits(transaction, { statementMs: changeTimeoutMs });
      // In the order in which writers take these locks.
      await transaction.$executeRaw(raw(`drop function if exists sluice.${staging.note}() cascade`));
      if (mine !== undefined) await holdTable(transaction, mine.changes, 'access exclusive mode');
      await transaction.$executeRaw(raw(`drop table if exists sluice.${staging.changes}`));
    }, transactionLimits)
    .catch(unlessMoved);
}

/** Another process has taken these tables for left behind, and has made its own. */
function unlessMoved(error: unknown): void {
  if (!(error instanceof TableMoved)) throw error;
}

/** Names and bounds are ours: they become SQL as they are, since identifiers cannot be bound. */
export function raw(sql: string): Prisma.Sql {
  return Prisma.raw(sql);
}

/** By name: a text would have to be quoted, and `regclass` answers from a cache. */
export function oidOf({ schema, name }: Pick<Partition, 'schema' | 'name'>): Prisma.Sql {
  return Prisma.sql`(select pg_class.oid from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relname = ${name} and nspname = ${schema})`;
}
