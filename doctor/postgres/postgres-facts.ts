import type { Config } from '../../shared/platform/config/config.ts';
import { createDatabase, type Database, type Passage, readPassage } from '../../shared/platform/postgres/database.ts';
import { readDatabaseClock } from '../../shared/platform/postgres/database-clock.ts';
import { describeDatabaseError, explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { type Answer, type Ask, createAsk } from '../answer.ts';
import type { ClockReading } from '../check-clock.ts';

/** What is known about a PostgreSQL server that answers. */
export interface PostgresFacts {
  server: Answer<PostgresServer>;
  passage: Answer<Passage>;
  clock: Answer<ClockReading>;
  /** the statement_timeout, in milliseconds, that this connection asked for; compared with what it got */
  askedStatementTimeoutMs: number;
}

export interface PostgresServer {
  /** 180004 for 18.4 */
  versionNumber: number;
  version: string;
  isInRecovery: boolean;
  isReadOnly: boolean;
  encoding: string;
  /** where tables are created if no schema is named; null if the schema in DATABASE_URL does not exist */
  schema: string | null;
  statementTimeoutMs: number;
  maxConnections: number;
  /** connections kept free for superusers and for roles with pg_use_reserved_connections */
  reservedConnections: number;
  /** connections of everybody; workers' connections are part of them */
  usedConnections: number;
  workerConnections: number;
}

/** A connection for reading a database's state. `ask` applies to every question. */
export interface PostgresConnection {
  database: Database;
  ask: Ask;
  state: Answer<'ready'>;
  statementTimeoutMs: number;
  close(): Promise<void>;
}

/** Small, because the server may be short of connections. */
const poolSize = 3;

/**
 * Connects, or reports in time why that failed. Sends only statements that read.
 *
 * @param withinMs milliseconds for each question, including the connection
 * @param hide blanks secrets in what the server says
 */
export async function connectToPostgres(
  config: Config['database'],
  { withinMs, hide }: { withinMs: number; hide(text: string): string },
): Promise<PostgresConnection> {
  const ask = createAsk({
    withinMs,
    explain: (thrown) => {
      const { code, remedy } = describeDatabaseError(thrown);
      return { code, why: hide(explainDatabaseError(thrown)), ...(remedy === undefined ? {} : { remedy }) };
    },
  });
  const database = createDatabase(
    { ...config, poolSize, connectTimeoutMs: withinMs, statementTimeoutMs: withinMs },
    'sluice doctor',
  );
  // Loading the client takes this machine's time, seconds when it is busy, and is not the server's silence.
  await database.$connect().catch(() => undefined);
  return {
    database,
    ask,
    state: await ask(async () => {
      await database.$queryRaw`select 1`;
      return 'ready' as const;
    }),
    statementTimeoutMs: withinMs,
    close: () => database.$disconnect(),
  };
}

/** Reads the server's state. Any role may see all of it, except details of other users' sessions, which are counted anyway. */
export async function readPostgresFacts({
  database,
  ask,
  statementTimeoutMs,
}: PostgresConnection): Promise<PostgresFacts> {
  // The clock is read on the connection that is already open: opening one would only blur the reading.
  const [clock, server, passage] = await Promise.all([
    ask(() => readClock(database)),
    ask(() => readServer(database)),
    ask(() => readPassage(database)),
  ]);
  return { server, passage, clock, askedStatementTimeoutMs: statementTimeoutMs };
}

async function readServer(database: Database): Promise<PostgresServer> {
  const [server] = await database.$queryRaw<PostgresServer[]>`
    select current_setting('server_version_num')::int as "versionNumber", current_setting('server_version') as version,
      pg_is_in_recovery() as "isInRecovery", current_setting('transaction_read_only')::bool as "isReadOnly",
      current_setting('server_encoding') as encoding, to_regnamespace('sluice')::text as schema,
      (select setting::int from pg_settings where name = 'statement_timeout') as "statementTimeoutMs",
      current_setting('max_connections')::int as "maxConnections",
      current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0) as "reservedConnections",
      count(*)::int as "usedConnections",
      (count(*) filter (where application_name like 'sluice worker%'))::int as "workerConnections"
    from pg_stat_activity
    where datid is not null and coalesce(backend_type, 'client backend') = 'client backend'
      and application_name is distinct from 'sluice doctor'`;
  if (server === undefined) throw new Error('the server returned no row');
  return server;
}

async function readClock(database: Database): Promise<ClockReading> {
  const askedAtMs = Date.now();
  const serverMs = await readDatabaseClock(database);
  return { askedAtMs, answeredAtMs: Date.now(), serverMs };
}
