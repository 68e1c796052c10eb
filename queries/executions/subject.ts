import { Prisma } from '../../shared/platform/postgres/database.ts';

/** Whose runs are asked about. */
export interface Subject {
  strategyId: string;
  /** the one realm whose runs count; null or absent: all. Rows are read for it, as no index has the realm beside the figures */
  realmId?: string | null;
}

/** The condition that a row is of the subject. */
export function isOf({ strategyId, realmId }: Subject): Prisma.Sql {
  return Prisma.sql`strategy_id = ${strategyId}${isOfRealm(realmId)}`;
}

/** To stand after another condition. */
export function isOfRealm(realmId: string | null | undefined): Prisma.Sql {
  return realmId == null ? Prisma.empty : Prisma.sql` and realm_id = ${realmId}`;
}
