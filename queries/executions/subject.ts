import { Prisma } from '../../shared/platform/postgres/database.ts';

/** Whose runs to count. */
export interface Subject {
  strategyId: string;
  /** the only realm whose runs count; null or absent: all. Needs the rows themselves, because no index has the realm too */
  realmId?: string | null;
}

/** The condition that a row belongs to the subject. */
export function subjectCondition({ strategyId, realmId }: Subject): Prisma.Sql {
  return Prisma.sql`strategy_id = ${strategyId}${isOfRealm(realmId)}`;
}

/** To be appended to another condition. */
export function isOfRealm(realmId: string | null | undefined): Prisma.Sql {
  return realmId == null ? Prisma.empty : Prisma.sql` and realm_id = ${realmId}`;
}
