import { erasedRealmOf } from '../shared/platform/ledger/erased-realm.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import type { TableIdentity } from '../shared/platform/postgres/held-table.ts';
import type { ErasureScope } from './erase-record.ts';
import { inPageRanges } from './page-ranges.ts';
import { valueNames } from './rows.ts';

interface LedgerErasure {
  scope: ErasureScope;
  signal: AbortSignal;
  /** called with a row that was left out, because it takes too long or is locked for too long */
  onStuckRow(): void;
}

/**
 * Renames the subject's realm, and realms whose names name the subject, in the ledger. Its counts stay: they say nothing of a
 * person, and the books would not balance without them.
 */
export async function renameInLedger(database: Database, { scope, ...options }: LedgerErasure): Promise<void> {
  for (const table of await ledgerTables(database)) {
    const isMinutes = table.name === 'ledger_minute';
    await inPageRanges(database, table, {
      ...options,
      isReading: false,
      onRange: () => undefined,
      work: ({ transaction, rows, range }) =>
        transaction.$executeRaw(isMinutes ? renameMinutes(scope, rows, range) : renameChunks(scope, rows, range)),
    });
  }
}

function ledgerTables(database: Database): Promise<TableIdentity[]> {
  return database.$queryRaw<TableIdentity[]>(Prisma.sql`
    select class.oid::text as oid, space.nspname as schema, class.relname as name
    from pg_class as class join pg_namespace as space on space.oid = class.relnamespace
    where class.oid in (select relid from pg_partition_tree(to_regclass('sluice.ledger_chunk')) where isleaf
      union all select to_regclass('sluice.ledger_minute')::oid)
    order by class.relname`);
}

function renameChunks(scope: ErasureScope, rows: Prisma.Sql, range: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`update ${rows} as row set parts = ${renamed(scope, 'parts')}, runs = ${renamed(scope, 'runs')}
    where ${range} and exists (
      select from jsonb_array_elements(parts) as run where ${hasToGo(scope, runRealm, runMinute)})`;
}

const runRealm = Prisma.raw(`(run ->> 0)`);
const runMinute = Prisma.raw(`to_timestamp((run ->> 1)::double precision * 60)`);

/** Null stays null. */
function renamed(scope: ErasureScope, column: string): Prisma.Sql {
  return Prisma.sql`(select jsonb_agg(case when ${hasToGo(scope, runRealm, runMinute)}
      then jsonb_set(run, '{0}', to_jsonb(${Prisma.raw(erasedRealmOf('run ->> 0'))})) else run end order by n)
    from jsonb_array_elements(${Prisma.raw(column)}) with ordinality as runs (run, n))`;
}

/** A late report may have made the row of the other name already. */
function renameMinutes(scope: ErasureScope, rows: Prisma.Sql, range: Prisma.Sql): Prisma.Sql {
  const counters = ['recorded', 'sampled_out', 'disabled', 'dropped', 'refused', 'chunked', 'sent', 'handed'];
  const others = ['producer', 'epoch', 'life', 'queue', 'minute_at', 'dropped_by', 'stored_at', ...counters].join(', ');
  const greatest = counters.map((name) => `${name} = greatest(minute.${name}, excluded.${name})`).join(', ');
  return Prisma.sql`with old as (
      delete from ${rows} as minute where ${range} and ${hasToGo(scope, Prisma.raw('realm'), Prisma.raw('minute_at'))} returning *)
    insert into sluice.ledger_minute as minute (realm, ${Prisma.raw(others)})
    select ${Prisma.raw(erasedRealmOf('realm'))}, ${Prisma.raw(others)} from old
    on conflict (producer, epoch, life, queue, minute_at, realm) do update set ${Prisma.raw(greatest)}`;
}

/** Whether a realm's name has to go, as SQL. Not null. */
function hasToGo(
  { subject, naming, before, ownOnly }: ErasureScope,
  realm: Prisma.Sql,
  minuteAt: Prisma.Sql,
): Prisma.Sql {
  const isTheirs = Prisma.sql`coalesce(${realm} = ${subject.id}::text, false)`;
  const own =
    subject.kind === 'realm' ? Prisma.sql`(${isTheirs} and ${minuteAt} <= ${before}::timestamptz)` : Prisma.sql`false`;
  if (ownOnly) return own;
  const isOther = subject.kind === 'realm' ? Prisma.sql`not ${isTheirs}` : Prisma.sql`true`;
  return Prisma.sql`(${own} or (${realm} is not null and ${isOther} and ${valueNames(Prisma.sql`to_json(${realm})::text`, naming)}))`;
}
