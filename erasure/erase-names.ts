import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import type { ErasureScope } from './erase-record.ts';
import { valueNames } from './rows.ts';

/** Takes away what a creator is called. The erasure has to be noted before: see `writeNames`. */
export function eraseCreatorName(database: Pick<Database, '$executeRaw'>, createdBy: string): Promise<number> {
  return database.$executeRaw(Prisma.sql`delete from sluice.display_name where kind = 'creator' and id = ${createdBy}`);
}

/**
 * Takes away what a user is called, and every name that the subject is named in, or whose id names it. A name in which something is
 * blanked would be none, so it goes whole.
 *
 * @returns how many names went, or would go
 */
export async function eraseNames(
  database: Pick<Database, '$queryRaw'>,
  { subject, naming, ownOnly }: ErasureScope,
  { dryRun }: { dryRun: boolean },
): Promise<number> {
  const isOwn = Prisma.sql`kind = 'creator' and id = ${subject.id} and ${subject.kind === 'user'}`;
  const isNaming = ownOnly
    ? Prisma.sql`false`
    : Prisma.sql`${valueNames(Prisma.raw('name'), naming)} or ${valueNames(Prisma.raw('id'), naming)}`;
  const which = Prisma.sql`from sluice.display_name where (${isOwn}) or (${isNaming})`;
  const [found] = await database.$queryRaw<{ names: number }[]>(
    dryRun
      ? Prisma.sql`select count(*)::int as names ${which}`
      : Prisma.sql`with gone as (delete ${which} returning 1) select count(*)::int as names from gone`,
  );
  return found?.names ?? 0;
}
