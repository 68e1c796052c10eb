import { z } from 'zod';
import { readCursor, writeCursor } from '../shared/platform/cursor.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { type DisplayName, longestId, type NameKind, nameKinds } from './display-name.ts';

const idsAtOnce = 1_000;

/** Looks up the names of ids: a statement for a thousand of them, and none if there are no ids. */
export async function findNames(
  database: Pick<Database, '$queryRaw'>,
  kind: NameKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const wanted = [...new Set(ids)].filter((id) => id.length <= 2 * longestId);
  for (let from = 0; from < wanted.length; from += idsAtOnce) {
    const some = wanted.slice(from, from + idsAtOnce);
    const rows = await database.$queryRaw<{ id: string; name: string }[]>(
      Prisma.sql`select id, name from sluice.display_name where kind = ${kind} and id = any(${some}::text[])`,
    );
    for (const { id, name } of rows) found.set(id, name);
  }
  return found;
}

/** Whether anything has a name. */
export async function hasNames(database: Pick<Database, '$queryRaw'>): Promise<boolean> {
  const rows = await database.$queryRaw<unknown[]>`select 1 as one from sluice.display_name limit 1`;
  return rows.length > 0;
}

/** A page of names, by kind and id. */
export interface NamePage {
  names: (DisplayName & { updatedAt: Date })[];
  /** for the next page; null on the last page */
  cursor: string | null;
}

const place = z.tuple([z.enum(nameKinds), z.string()]);

/** @throws UsageError if the cursor is invalid */
export async function listNames(
  database: Pick<Database, '$queryRaw'>,
  { kind, limit, cursor }: { kind: NameKind | null; limit: number; cursor: string | null },
): Promise<NamePage> {
  const conditions = [Prisma.sql`true`];
  if (kind !== null) conditions.push(Prisma.sql`kind = ${kind}`);
  if (cursor !== null) {
    const [lastKind, lastId] = readCursor(cursor, { place, list: 'names' });
    conditions.push(Prisma.sql`(kind, id) > (${lastKind}, ${lastId})`);
  }
  const found = await database.$queryRaw<NamePage['names']>(Prisma.sql`
    select kind, id, name, updated_at as "updatedAt" from sluice.display_name
    where ${Prisma.join(conditions, ' and ')} order by kind, id limit ${limit + 1}`);
  const names = found.slice(0, limit);
  const last = names.at(-1);
  return {
    names,
    cursor: last !== undefined && found.length > limit ? writeCursor([last.kind, last.id]) : null,
  };
}
