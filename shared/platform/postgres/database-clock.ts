import type { Database } from './database.ts';

/** The database's clock, in ms since 1970. */
export async function readDatabaseClock(database: Pick<Database, '$queryRaw'>): Promise<number> {
  const [clock] = await database.$queryRaw<{ ms: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  return clock?.ms ?? Number.NaN;
}
