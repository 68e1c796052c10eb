import type { Database } from '../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';

/** Not every server lets everybody ask who it is; then a copy is not told from what it was copied from. */
const refusals = ['42501', '42883'];

/**
 * The name by which Redis knows the outbox of a label in this database. A copy of the database, as a dump or a template makes
 * it, has the name of the original; it gets one of its own, as its outbox goes its own way.
 *
 * @returns null when somebody else has the lease by now
 */
export async function nameDatabase(
  database: Database,
  { label, token }: { label: string; token: number },
): Promise<string | null> {
  const databaseId = await identify(database);
  const [row] = await database.$queryRaw<{ epoch: string }[]>`
    update sluice.stream_lease set database_id = coalesce(${databaseId}::text, database_id),
      epoch = case when database_id <> ${databaseId}::text then gen_random_uuid() else epoch end
    where label = ${label} and token = ${token}
    returning epoch::text`;
  return row?.epoch ?? null;
}

async function identify(database: Database): Promise<string | null> {
  try {
    const [row] = await database.$queryRaw<{ id: string }[]>`
      select system_identifier || '/' || oid as id from pg_control_system(), pg_database where datname = current_database()`;
    return row?.id ?? null;
  } catch (error) {
    if (refusals.includes(classifyDatabaseError(error).code)) return null;
    throw error;
  }
}
