import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlDriverAdapter, SqlQuery } from '@prisma/driver-adapter-utils';
import pg from 'pg';
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
  const adapter = new PrismaPg(new pg.Pool(poolSettings(config, name)), { disposeExternalPool: true });
  const database = new PrismaClient({ adapter });
  adapters.set(database, adapter);
  return database;
}

const adapters = new WeakMap<Database, PrismaPg>();
const connected = new WeakMap<Database, Promise<SqlDriverAdapter>>();

/** A statement with one parameter, a JSON text: what stands before and after it. */
export type JsonStatement = readonly [before: string, after: string];

/**
 * Runs a statement with a large JSON parameter through Prisma's driver adapter, past Prisma's client, on the same pool and
 * with the same errors. The client writes every parameter to JSON twice on the way: that costs 24 µs for a record of 3 KB
 * where this costs 4.
 *
 * @returns how many rows it affected
 * @throws what the adapter makes of the driver's error: see classifyDatabaseError
 */
export async function executeWithJson(database: Database, statement: JsonStatement, json: string): Promise<number> {
  return (await adapterOf(database)).executeRaw(toQuery(statement, json));
}

/** As `executeWithJson`, for a statement that returns rows: each as a list of its columns. */
export async function queryWithJson(
  database: Database,
  statement: JsonStatement,
  json: string,
): Promise<readonly (readonly unknown[])[]> {
  return (await (await adapterOf(database)).queryRaw(toQuery(statement, json))).rows;
}

function toQuery([before, after]: JsonStatement, json: string): SqlQuery {
  return { sql: `${before}$1${after}`, args: [json], argTypes: [{ scalarType: 'string', arity: 'scalar' }] };
}

function adapterOf(database: Database): Promise<SqlDriverAdapter> {
  const adapter = adapters.get(database);
  if (adapter === undefined) throw new TypeError('the database was not made by createDatabase');
  const known = connected.get(database) ?? adapter.connect();
  connected.set(database, known);
  return known;
}

/** Settings of the driver's pool, for Prisma and for the few who need the driver itself. */
export function poolSettings(config: Config['database'], name: string) {
  const url = new URL(requireUrl(config.url, 'DATABASE_URL'));
  const schema = url.searchParams.get('schema');
  const options = [
    url.searchParams.get('options') ?? '',
    ...(schema === null ? [] : [`-c search_path=${schema.replace(/[^\w$]/g, '')}`]),
    // The driver adapter writes times without an offset and takes those that it reads to be of UTC, whatever the server's
    // own zone is, and it reads them in one form only.
    '-c TimeZone=UTC -c DateStyle=ISO',
  ];
  for (const parameter of [...prismaParameters, 'options']) url.searchParams.delete(parameter);
  return {
    connectionString: url.href,
    application_name: name,
    max: config.poolSize,
    connectionTimeoutMillis: config.connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    statement_timeout: config.statementTimeoutMs,
    query_timeout: config.statementTimeoutMs + 2_000,
    keepAlive: true,
    options: options.join(' ').trim(),
  };
}
