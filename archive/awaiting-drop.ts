import { type Database, queryTexts } from '../shared/database.ts';
import type { ArchivedTable } from './archive-table.ts';
import type { Archived } from './manifest.ts';

/** How the comment of such a table begins. */
export const awaitingDropPrefix = 'sluice: expired, ';

/** What the comment of a detached partition says, so that the next run finds it, whoever detached it and died. */
const pattern = /^sluice: expired, was (\w+) from (\S+) to (\S+), is dropped once it is archived$/;

export function toComment({ table, from, until }: Archived): string {
  return `${awaitingDropPrefix}was ${table} from ${from} to ${until}, is dropped once it is archived`;
}

/** The tables that were detached from a table to be dropped, and are there yet. */
export async function findAwaitingDrop(database: Database, table: string): Promise<ArchivedTable[]> {
  const rows = await queryTexts(
    database,
    `select nspname::text, relname::text, description
     from pg_description
     join pg_class on pg_class.oid = objoid and classoid = 'pg_class'::regclass and objsubid = 0
     join pg_namespace on pg_namespace.oid = relnamespace
     where relnamespace = to_regnamespace('sluice') and not relispartition and relkind in ('r', 'p')
       and starts_with(description, $1)
     order by relname`,
    [awaitingDropPrefix],
  );
  return rows.flatMap(([schema, name, comment]) => {
    const [, of, from, until] = pattern.exec(comment ?? '') ?? [];
    if (of !== table || schema == null || name == null || from === undefined || until === undefined) return [];
    return [{ table, from, until, place: { schema, name } }];
  });
}
