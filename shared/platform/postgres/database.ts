import pg from 'pg';
import { PrismaClient } from '../../../prisma/client/client.ts';
import type { Config } from '../config/config.ts';
import { type Copy, type ReadyCopy, VetoedError } from './copy-query.ts';
import { isUnanswered } from './database-errors.ts';
import { FailoverPool } from './failover-pool.ts';
import { ForgetfulPg } from './forgetful-adapter.ts';
import { addressOf, toPoolConfig, toRoutes } from './pool-settings.ts';
import { inSchema, quoteEscaped, quoteIdentifier } from './schema.ts';
import { selfContainedClient } from './self-contained-client.ts';
import { toStatementError } from './statement-error.ts';
import { toStatementSettings } from './statement-settings.ts';

export { Prisma } from '../../../prisma/client/client.ts';
export type Database = PrismaClient;

/** What statements are run on: the database itself, or a transaction of it. */
export type Transaction = Pick<Database, '$queryRaw' | '$executeRaw'>;

/**
 * The one door to PostgreSQL. Connects when first used.
 *
 * Every statement ends in time twice over: the server cancels it after `statementTimeoutMs`, and the client stops
 * waiting a little later, so that a connection whose other end has vanished cannot hold a worker. It relies on no setting of
 * its session: see `selfContainedClient`.
 *
 * @param limits.lockTimeoutMs how long a statement waits for a lock, unless its transaction says otherwise. @default as long
 *   as it may take
 * @throws UsageError when DATABASE_URL is missing, or names a file that cannot be read
 */
export function createDatabase(
  config: Config['database'],
  name: string,
  limits: { lockTimeoutMs?: number } = {},
): Database {
  const address = addressOf(config);
  const settings = toStatementSettings({ statementTimeoutMs: config.statementTimeoutMs, ...limits });
  const pool = new FailoverPool(
    { ...toPoolConfig(address, config, name), Client: selfContainedClient(settings) },
    toRoutes(address),
    address.targetSession,
  );
  // An idle connection that breaks is replaced; without a listener its error would end the process.
  pool.on('error', () => undefined);
  const database = new PrismaClient({
    adapter: new ForgetfulPg(pool, { schema: address.schema, disposeExternalPool: false }),
  });
  // Prisma's own way to end the pool does nothing as long as only the driver was used.
  const disconnect = database.$disconnect.bind(database);
  database.$disconnect = async () => {
    await disconnect();
    if (!pool.ending) await pool.end();
  };
  doors.set(database, { pool, schema: quoteIdentifier(address.schema), isPooled: address.isPooled });
  return database;
}

interface Door {
  pool: pg.Pool;
  /** quoted */
  schema: string;
  /** as DATABASE_URL says */
  isPooled: boolean;
}

const doors = new WeakMap<Database, Door>();

/** A transaction of its own for statements with a JSON parameter. */
export interface JsonTransaction {
  readonly isTransaction: true;
}

const clients = new WeakMap<JsonTransaction, { client: pg.PoolClient; schema: string }>();

/** A statement with JSON texts as parameters, mostly one: what stands before, between and after them. */
export type JsonStatement = readonly [before: string, after: string, ...more: string[]];

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
  ...json: string[]
): Promise<number> {
  return (await runWithJson(door, statement, json)).rowCount ?? 0;
}

/** As `executeWithJson`, for a statement that returns rows: each as a list of its columns. */
export async function queryWithJson(
  door: Database | JsonTransaction,
  statement: JsonStatement,
  ...json: string[]
): Promise<readonly (readonly unknown[])[]> {
  return (await runWithJson(door, statement, json)).rows;
}

/**
 * Runs a statement whose columns are all text, on the driver itself: for results that are large. Prisma's client copies each
 * value several times on its way.
 *
 * @returns each row as a list of its columns
 * @throws as `executeWithJson`
 */
export async function queryTexts(
  door: Database | JsonTransaction,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly (readonly (string | null)[])[]> {
  return (await run<(string | null)[]>(door, sql, values)).rows;
}

/**
 * Stores rows by COPY in a transaction of its own, on the driver itself.
 *
 * @returns how many rows each table has got; null when the veto had a row, and nothing is stored
 * @throws as `executeWithJson`
 */
export async function copyRows(database: Database, { veto, tables, also }: Copy): Promise<number[] | null> {
  const { pool, schema } = doorOf(database);
  const copy: ReadyCopy = {
    veto: inSchema(veto, schema),
    tables: tables.map(({ statement, lines }) => ({ statement: inSchema(statement, schema), lines })),
    // What is in the parameter is not ours.
    after: also.map(({ statement: [before, after], json }) =>
      [inSchema(before, schema), quoteEscaped(json), inSchema(after, schema)].join(''),
    ),
  };
  try {
    const results = (await pool.query({ text: '', copy } as pg.QueryConfig)) as unknown as pg.QueryResult[];
    const last = results.length - also.length;
    return results.slice(last - tables.length, last).map(({ rowCount }) => rowCount ?? 0);
  } catch (thrown) {
    if (thrown instanceof VetoedError) return null;
    throw toStatementError(thrown, null);
  }
}

function runWithJson(door: Database | JsonTransaction, statement: JsonStatement, json: readonly string[]) {
  const [first, ...others] = statement;
  return run<unknown[]>(door, first + others.map((text, index) => `$${index + 1}${text}`).join(''), json);
}

async function run<Row extends unknown[]>(door: Database | JsonTransaction, sql: string, values: readonly unknown[]) {
  const within = clients.get(door as JsonTransaction);
  const { schema } = within ?? doorOf(door as Database);
  const driver = within?.client ?? doorOf(door as Database).pool;
  try {
    const text = inSchema(sql, schema);
    return await driver.query<Row>({ text, values: [...values], rowMode: 'array' });
  } catch (thrown) {
    throw toStatementError(thrown, values.map(String).join(' '));
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

/** What is between this process and its server, as one connection found it. */
export interface Passage {
  /** another process answers than the one that the server named when the connection was made: a pooler is between */
  isPooled: boolean;
  /** all statements of a transaction go to one session */
  keepsTransactions: boolean;
  /** `?pgbouncer=true` */
  saysPooled: boolean;
}

/** @throws what the database says; of a pooler that allows no transactions, too */
export async function readPassage(database: Database): Promise<Passage> {
  const { pool, isPooled: saysPooled } = doorOf(database);
  const client = await pool.connect();
  const ask = async (): Promise<number> => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]?.pid ?? 0;
  };
  let isDone = false;
  try {
    const alone = await ask();
    await client.query('begin');
    const [first, second] = [await ask(), await ask()];
    await client.query('commit');
    isDone = true;
    const { processID } = client as pg.PoolClient & { processID: number };
    return { isPooled: alone !== processID, keepsTransactions: first === second, saysPooled };
  } finally {
    client.release(!isDone);
  }
}

/**
 * A connection of its own, for those who set all that they need within their transactions.
 *
 * @param limits.queryTimeoutMs how long an answer is waited for
 */
export async function connectAlone(
  config: Config['database'],
  name: string,
  { queryTimeoutMs }: { queryTimeoutMs: number },
): Promise<{ client: pg.PoolClient; close(): Promise<void> }> {
  const address = addressOf(config);
  const pool = new FailoverPool(
    { ...toPoolConfig(address, config, name), max: 1, query_timeout: queryTimeoutMs, Client: pg.Client },
    toRoutes(address),
    address.targetSession,
  );
  pool.on('error', () => undefined);
  try {
    const client = await pool.connect();
    // What breaks a connection fails its statement, too. Without a listener it would end the process as well.
    client.on('error', () => undefined);
    return {
      client,
      async close() {
        client.release(true);
        await pool.end();
      },
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}
