import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import type { DisplayName } from './display-name.ts';

/** What writing names did. */
export interface WrittenNames {
  added: number;
  changed: number;
  unchanged: number;
  removed: number;
  /** left out, because the creator was erased */
  erased: number;
}

/** What is written: names to give, and, with a null, one to take away. */
export type NameChange = Omit<DisplayName, 'name'> & { name: string | null };

const rowsAtOnce = 5_000;
const lockTimeoutMs = 3_000;
const transactionTimeoutMs = 120_000;

/**
 * Gives names, all or none. Repeating it changes nothing. A creator who was erased gets no name as long as the erasure is noted:
 * a list that was made before must not bring it back. To see the note, it takes the lock that storing requests takes, too.
 *
 * @param options.replace take away all other names of the kinds that are given. @default false
 * @throws the database's error; 55P03 if an erasure was being noted for three seconds: nothing was written
 */
export function writeNames(
  database: Database,
  changes: readonly NameChange[],
  { replace = false }: { replace?: boolean } = {},
): Promise<WrittenNames> {
  // In one order, so that two of these cannot deadlock.
  const ordered = changes.toSorted((a, b) => compare(a.kind, b.kind) || compare(a.id, b.id));
  return database.$transaction(
    async (transaction) => {
      await transaction.$executeRaw(Prisma.sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`);
      await transaction.$executeRaw(Prisma.sql`lock table sluice.request_tombstone in row share mode`);
      const given = ordered.flatMap(({ name, ...rest }) => (name === null ? [] : [{ ...rest, name }]));
      const written = { added: 0, changed: 0, unchanged: 0, removed: 0, erased: 0 };
      for (let from = 0; from < given.length; from += rowsAtOnce) {
        const found = await transaction.$queryRaw<Counts[]>(toGiveStatement(given.slice(from, from + rowsAtOnce)));
        written.added += found[0]?.added ?? 0;
        written.changed += found[0]?.changed ?? 0;
        written.unchanged += found[0]?.unchanged ?? 0;
        written.erased += found[0]?.erased ?? 0;
      }
      const gone = ordered.filter(({ name }) => name === null);
      if (gone.length > 0) written.removed += await transaction.$executeRaw(toTakeStatement(gone));
      if (replace) written.removed += await transaction.$executeRaw(toReplaceStatement(given));
      return written;
    },
    { timeout: transactionTimeoutMs, isolationLevel: Prisma.TransactionIsolationLevel.ReadCommitted },
  );
}

interface Counts {
  added: number;
  changed: number;
  unchanged: number;
  erased: number;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toGiveStatement(names: readonly DisplayName[]): Prisma.Sql {
  const column = (key: keyof DisplayName): string[] => names.map((name) => name[key]);
  return Prisma.sql`
    with given as materialized (
      select kind, id, name, kind = 'creator' and exists (
        select from sluice.creator_erasure where creator_hash = sha256(convert_to(id, 'UTF8'))) as is_erased
      from unnest(${column('kind')}::text[], ${column('id')}::text[], ${column('name')}::text[]) as given (kind, id, name)
    ),
    before as materialized (
      select given.kind, given.id, old.name as old, given.name as new
      from given left join sluice.display_name as old on old.kind = given.kind and old.id = given.id
      where not is_erased
    ),
    written as (
      insert into sluice.display_name (kind, id, name, updated_at)
      select kind, id, new, now() from before where new is distinct from old order by kind, id
      on conflict (kind, id) do update set name = excluded.name, updated_at = excluded.updated_at)
    select (count(*) filter (where old is null))::int as added,
      (count(*) filter (where old <> new))::int as changed,
      (count(*) filter (where old = new))::int as unchanged,
      (select count(*) from given where is_erased)::int as erased
    from before`;
}

function toTakeStatement(names: readonly Pick<DisplayName, 'kind' | 'id'>[]): Prisma.Sql {
  const { kinds, ids } = toColumns(names);
  return Prisma.sql`delete from sluice.display_name as old using unnest(${kinds}::text[], ${ids}::text[]) as gone (kind, id)
    where old.kind = gone.kind and old.id = gone.id`;
}

function toReplaceStatement(names: readonly Pick<DisplayName, 'kind' | 'id'>[]): Prisma.Sql {
  const { kinds, ids } = toColumns(names);
  return Prisma.sql`
    with given as materialized (select kind, id from unnest(${kinds}::text[], ${ids}::text[]) as given (kind, id))
    delete from sluice.display_name as old
    where kind in (select kind from given)
      and not exists (select from given where given.kind = old.kind and given.id = old.id)`;
}

function toColumns(names: readonly Pick<DisplayName, 'kind' | 'id'>[]): { kinds: string[]; ids: string[] } {
  return { kinds: names.map(({ kind }) => kind), ids: names.map(({ id }) => id) };
}
