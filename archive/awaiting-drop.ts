import {
  type Database,
  type JsonTransaction,
  queryTexts,
  withJsonTransaction,
} from '../shared/platform/postgres/database.ts';
import type { Archived, ArchivedTable } from './manifest.ts';
import { type TableName, toTableSql } from './table-ranges.ts';

/** How the comment on such a table begins. */
export const awaitingDropPrefix = 'sluice: expired, ';

/** The comment on a detached partition, by which the next run finds it, whoever detached it and died. */
const pattern = /^sluice: expired, was (\w+) from (\S+) to (\S+), is dropped once it is archived$/;

export function toComment({ table, from, until }: Archived): string {
  return `${awaitingDropPrefix}was ${table} from ${from} to ${until}, is dropped once it is archived`;
}

/** Tables with such a comment, by what has happened to them since. */
export interface Marked {
  /** unchanged since they were detached: they may be dropped */
  awaiting: ArchivedTable[];
  /** somebody has attached them again */
  attached: TableName[];
  /** detached, but altered since: somebody may have attached them, and detached them again to keep them */
  altered: TableName[];
}

/**
 * One transaction detaches a table and comments on it, so both catalog rows have its transaction id. Anything that alters the
 * table afterwards, such as attaching it, writes another one; vacuum and analyze do not.
 */
const asItWasDetached = 'not relispartition and pg_class.xmin = pg_description.xmin';

const markedTables = `pg_description
  join pg_class on pg_class.oid = objoid and classoid = 'pg_class'::regclass and objsubid = 0
  join pg_namespace on pg_namespace.oid = relnamespace`;

/** The tables that were detached from a given table to be dropped. */
export async function findMarked(database: Database, table: string): Promise<Marked> {
  const rows = await queryTexts(
    database,
    `select nspname::text, relname::text, description,
       case when relispartition then 'attached' when ${asItWasDetached} then 'awaiting' else 'altered' end
     from ${markedTables}
     where relnamespace = to_regnamespace('sluice') and relkind in ('r', 'p') and starts_with(description, $1)
     order by relname`,
    [awaitingDropPrefix],
  );
  const marked: Marked = { awaiting: [], attached: [], altered: [] };
  for (const [schema, name, comment, state] of rows) {
    const [, of, from, until] = pattern.exec(comment ?? '') ?? [];
    if (of !== table || schema == null || name == null || from === undefined || until === undefined) continue;
    const place = { schema, name };
    if (state === 'awaiting') marked.awaiting.push({ table, from, until, place });
    else if (state === 'attached') marked.attached.push(place);
    else marked.altered.push(place);
  }
  return marked;
}

/** Whether a table may still be dropped. The answer stays valid while its exclusive lock is held. */
export async function isAwaitingDrop(transaction: JsonTransaction, { schema, name }: TableName): Promise<boolean> {
  const found = await queryTexts(
    transaction,
    `select from ${markedTables}
     where nspname = $1 and relname = $2 and starts_with(description, $3) and ${asItWasDetached}`,
    [schema, name, awaitingDropPrefix],
  );
  return found.length > 0;
}

/**
 * Removes the comment from a table that has been attached again.
 *
 * @throws the database's error, such as a lock timeout
 */
export async function removeMark(
  database: Database,
  { schema, name }: TableName,
  lockTimeoutMs: number,
): Promise<void> {
  const place = toTableSql({ schema, name });
  await withJsonTransaction(database, { lockTimeoutMs, commits: true }, async (transaction) => {
    await queryTexts(transaction, `lock table only ${place} in share update exclusive mode`);
    const found = await queryTexts(
      transaction,
      `select from ${markedTables}
       where nspname = $1 and relname = $2 and starts_with(description, $3) and relispartition`,
      [schema, name, awaitingDropPrefix],
    );
    if (found.length > 0) await queryTexts(transaction, `comment on table ${place} is null`);
  });
}
