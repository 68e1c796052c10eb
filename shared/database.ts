import pg from 'pg';
import { PrismaClient } from '../prisma/client/client.ts';
import { type Config, requireUrl } from './config.ts';
import { isUnanswered, toStatementError } from './database-errors.ts';
import { ForgetfulPg } from './forgetful-adapter.ts';
import { inSchema, quoteIdentifier, schemaNamedIn } from './schema.ts';

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
 * @param limits.lockTimeoutMs how long a statement waits for a lock, unless its transaction says otherwise. @default as long
 *   as it may take
 * @throws UsageError when DATABASE_URL is missing
 */
export function createDatabase(
  config: Config['database'],
  name: string,
  limits: { lockTimeoutMs?: number } = {},
): Database {
  const pool = new pg.Pool(poolSettings(config, name, limits));
  // An idle connection that breaks is replaced; without a listener its error would end the process.
  pool.on('error', () => undefined);
  const database = new PrismaClient({
    adapter: new ForgetfulPg(pool, { schema: schemaOf(config), disposeExternalPool: true }),
  });
  doors.set(database, { pool, schema: quoteIdentifier(schemaOf(config)) });
  return database;
}

/** The schema that DATABASE_URL names: `?schema=`. */
export function schemaOf({ url }: Config['database']): string {
  return schemaNamedIn(requireUrl(url, 'DATABASE_URL'));
}

interface Door {
  pool: pg.Pool;
  /** quoted */
  schema: string;
}

const doors = new WeakMap<Database, Door>();

/** A transaction of its own for statements with a JSON parameter. */
export interface JsonTransaction {
  readonly isTransaction: true;
}

const clients = new WeakMap<JsonTransaction, { client: pg.PoolClient; schema: string }>();

/** A statement with one parameter, a JSON text: what stands before and after it. */
export type JsonStatement = readonly [before: string, after: string];

/**
 * Runs a statement with a large JSON parameter on the driver itself, on Prisma's pool. Prisma's client writes every parameter
 * to JSON twice on the way: that costs 24 µs for a record of 3 KB where this costs 4.
 *
 * @returns how many rows it affected
 * @throws StatementError, which quotes nothing of the rows, or what the driver says of the connection: see
 *   classifyDatabaseError
 */
export async function executeWithJson(
  door: Database | JsonTransaction,
  statement: JsonStatement,
  json: string,
): Promise<number> {
  return (await runWithJson(door, statement, json)).rowCount ?? 0;
}

/** As `executeWithJson`, for a statement that returns rows: each as a list of its columns. */
export async function queryWithJson(
  door: Database | JsonTransaction,
  statement: JsonStatement,
  json: string,
): Promise<readonly (readonly unknown[])[]> {
  return (await runWithJson(door, statement, json)).rows;
}

async function runWithJson(door: Database | JsonTransaction, [before, after]: JsonStatement, json: string) {
  const within = clients.get(door as JsonTransaction);
  const { schema } = within ?? doorOf(door as Database);
  const driver = within?.client ?? doorOf(door as Database).pool;
  try {
    const text = inSchema(`${before}$1${after}`, schema);
    return await driver.query<unknown[]>({ text, values: [json], rowMode: 'array' });
  } catch (thrown) {
    throw toStatementError(thrown, json);
  }
}

function doorOf(database: Database): Door {
  const door = doors.get(database);
  if (door === undefined) throw new TypeError('the database was not made by createDatabase');
  return door;
}

/**
 * Does `work` in a transaction in which no lock is waited for longer than `lockTimeoutMs`.
 *
 * @param options.commits false: all of it is taken back, when what is checked at a commit has been checked
 */
export async function withJsonTransaction<T>(
  database: Database,
  options: { lockTimeoutMs: number; commits: boolean },
  work: (transaction: JsonTransaction) => Promise<T>,
): Promise<T> {
  const { pool, schema } = doorOf(database);
  const client = await pool.connect();
  const transaction: JsonTransaction = { isTransaction: true };
  const ignore = (): void => undefined;
  client.on('error', ignore);
  clients.set(transaction, { client, schema });
  let isUsable = false;
  try {
    await client.query(`begin; set local lock_timeout = ${Math.ceil(options.lockTimeoutMs)}`);
    const result = await work(transaction);
    await client.query(options.commits ? 'commit' : 'set constraints all immediate; rollback');
    isUsable = true;
    return result;
  } catch (thrown) {
    // Behind a statement that has had no answer it would have none either, after as long a time.
    isUsable =
      !isUnanswered(thrown) &&
      (await client.query('rollback').then(
        () => true,
        () => false,
      ));
    throw toStatementError(thrown, '');
  } finally {
    clients.delete(transaction);
    client.off('error', ignore);
    client.release(!isUsable);
  }
}

/** Settings of the driver's pool, for Prisma and for the few who need the driver itself. */
export function poolSettings(config: Config['database'], name: string, limits: { lockTimeoutMs?: number } = {}) {
  const url = new URL(requireUrl(config.url, 'DATABASE_URL'));
  const schema = url.searchParams.get('schema');
  const options = [
    url.searchParams.get('options') ?? '',
    ...(schema === null ? [] : [`-c search_path=${schema.replace(/[^\w$]/g, '')}`]),
    // The driver adapter writes times without an offset and takes those that it reads to be of UTC, whatever the server's
    // own zone is, and it reads them in one form only.
    '-c TimeZone=UTC -c DateStyle=ISO',
    ...(limits.lockTimeoutMs === undefined ? [] : [`-c lock_timeout=${limits.lockTimeoutMs}`]),
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
