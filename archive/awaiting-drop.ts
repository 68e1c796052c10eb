import {
  type Database,
  type JsonTransaction,
  queryTexts,
  withJsonTransaction,
} from '../shared/platform/postgres/database.ts';
import type { Archived, ArchivedTable } from './manifest.ts';
import { type TableName, toTableSql } from './table-ranges.ts';

/** How the comment of such a table begins. */
export const awaitingDropPrefix = 'sluice: expired, ';

/** What the comment of a detached partition says, so that the next run finds it, whoever detached it and died. */
const pattern = /^sluice: expired, was (\w+) from (\S+) to (\S+), is dropped once it is archived$/;

export function toComment({ table, from, until }: Archived): string {
  return `${awaitingDropPrefix}was ${table} from ${from} to ${until}, is dropped once it is archived`;
}

/** Tables with such a comment, by what has become of them. */
export interface Marked {
  /** as they were detached: they may go */
  awaiting: ArchivedTable[];
  /** somebody has attached them again */
  attached: TableName[];
  /** detached, and altered since: perhaps somebody had attached them, and has detached them to keep them */
  altered: TableName[];
}

/**
 * One transaction detaches a table and gives it the comment, so both rows of the catalog have its id. Whatever alters the table
 * afterwards, such as to attach it, writes its own there; vacuum and analyze do not.
 */
const asItWasDetached = 'not relispartition and pg_class.xmin = pg_description.xmin';

const markedTables = `pg_description
  join pg_class on pg_class.oid = objoid and classoid = 'pg_class'::regclass and objsubid = 0
  join pg_namespace on pg_namespace.oid = relnamespace`;

/** The tables that were detached from a table to be dropped. */
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

/** Whether a table may go still. With its exclusive lock this stays so. */
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
 * Takes the comment off a table that is attached again.
 *
 * @throws what the database said, such as that it did not get the lock in time
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
