import { awaitingDropPrefix } from '../archive/awaiting-drop.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import type { TableIdentity } from '../shared/platform/postgres/held-table.ts';
import type { ErasureScope } from './erase-record.ts';
import { inPageRanges } from './page-ranges.ts';
import { anyNames, blankedNotes, type RowCounts, type RowsErasure, text, valueNames } from './rows.ts';

/** Optional columns, which are blanked if they name somebody. JSON columns are searched as text. */
const texts = [
  'realm_id',
  'external_game_id',
  'external_task_id',
  'external_user_id',
  'error_code',
  'error_message',
  'failed_node_id',
  'case_name',
  'parent_strategy_id',
  'ast_hash',
  'notes',
];
const documents = ['trace', 'input'];
const columns = [...texts, ...documents];

/**
 * The tables with rows of executions, DEFAULT first: what is moved from it to a partition while it is processed is found there.
 * Includes tables that wait for their drop, and the copies that such a move creates or has left behind.
 */
export async function executionTables(database: Database): Promise<TableIdentity[]> {
  return database.$queryRaw<TableIdentity[]>(Prisma.sql`
    with part as (
      select relid from pg_partition_tree('sluice.strategy_execution_log'::regclass) where isleaf
      union select relid from pg_partition_tree(to_regclass('sluice.sluice_moving_all')) where isleaf
      union select oid from pg_class where relnamespace = to_regnamespace('sluice')
        and starts_with(obj_description(oid, 'pg_class'), ${awaitingDropPrefix}))
    select class.oid::text as oid, space.nspname as schema, class.relname as name
    from part join pg_class as class on class.oid = part.relid
    join pg_namespace as space on space.oid = class.relnamespace
    where class.relkind = 'r'
    order by pg_get_expr(class.relpartbound, class.oid) is distinct from 'DEFAULT' or starts_with(class.relname, 'sluice_moving_'),
      class.relname`);
}

/** Erases the subject's rows in one table, and blanks what names the subject in other people's rows. */
export async function eraseExecutions(
  database: Database,
  table: TableIdentity,
  { scope, dryRun, ...options }: RowsErasure,
): Promise<void> {
  const { subject, before, ownOnly, naming } = scope;
  const owner = Prisma.raw(subject.kind === 'user' ? 'external_user_id' : 'realm_id');
  const isOwn = Prisma.sql`coalesce(${owner} = ${subject.id}, false)`;
  const isTheirs = Prisma.sql`${isOwn} and (recorded_at <= ${before}::timestamptz or stored_at <= ${before}::timestamptz)`;
  const isNaming = ownOnly ? Prisma.sql`false` : Prisma.sql`not ${isOwn} and ${anyNames(columns, naming)}`;
  await inPageRanges(database, table, {
    ...options,
    isReading: dryRun,
    async work({ transaction, rows, range }) {
      const found = Prisma.sql`
        select ctid as place, ${isOwn} as is_own from ${rows}
        where ${range} and ((${isTheirs}) or (${isNaming}))`;
      const [counts] = dryRun
        ? await transaction.$queryRaw<RowCounts[]>(Prisma.sql`
            select (count(*) filter (where is_own))::int as erased, (count(*) filter (where not is_own))::int as blanked
            from (${found}) as found`)
        : await transaction.$queryRaw<RowCounts[]>(Prisma.sql`
            with found as materialized (${found}),
            erased as (delete from ${rows} as row using found where row.ctid = place and ${range} and is_own returning 1),
            blanked as (
              update ${rows} as row set ${blanks(scope)} from found where row.ctid = place and ${range} and not is_own returning 1)
            select (select count(*) from erased)::int as erased, (select count(*) from blanked)::int as blanked`);
      return counts ?? { erased: 0, blanked: 0 };
    },
  });
}

function blanks({ naming }: ErasureScope): Prisma.Sql {
  const assignments = columns
    .filter((column) => column !== 'notes')
    .map((name) => {
      const column = Prisma.raw(name);
      return Prisma.sql`${column} = case when ${valueNames(Prisma.raw(text(name)), naming)} then null else ${column} end`;
    });
  return Prisma.join([...assignments, blankedNotes(naming)], ', ');
}
