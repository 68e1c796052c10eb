import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../prisma/client/client.ts';
import { type Config, requireUrl } from './config.ts';

export { Prisma } from '../prisma/client/client.ts';
export type Database = PrismaClient;

/** Parts of a connection string that only Prisma understands; the driver is told in its own words. */
const prismaParameters = ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer', 'statement_cache_size'];

/**
 * The one door to PostgreSQL. Connects when first used.
 *
 * Every statement ends in time twice over: the server cancels it after `statementTimeoutMs`, and the client stops
 * waiting a little later, so that a connection whose other end has vanished cannot hold a worker.
 *
 * @throws UsageError when DATABASE_URL is missing
 */
export function createDatabase(config: Config['database'], name: string): Database {
  return new PrismaClient({ adapter: new PrismaPg(poolSettings(config, name)) });
}

/** Settings of the driver's pool, for Prisma and for the few who need the driver itself. */
export function poolSettings(config: Config['database'], name: string) {
  const url = new URL(requireUrl(config.url, 'DATABASE_URL'));
  const schema = url.searchParams.get('schema');
  for (const parameter of prismaParameters) url.searchParams.delete(parameter);
  return {
    connectionString: url.href,
    application_name: name,
    max: config.poolSize,
    connectionTimeoutMillis: config.connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    statement_timeout: config.statementTimeoutMs,
    query_timeout: config.statementTimeoutMs + 2_000,
    keepAlive: true,
    ...(schema === null ? {} : { options: `-c search_path=${schema.replace(/[^\w$]/g, '')}` }),
  };
}
