import type { Passage } from '../../shared/platform/postgres/database.ts';
import { type Answer, timeoutCode } from '../answer.ts';
import { checkClock } from '../check-clock.ts';
import { type Finding, findingsOn } from '../finding.ts';
import type { PostgresFacts, PostgresServer } from './postgres-facts.ts';

const on = findingsOn('postgres');

/** dead_letter needs gen_random_uuid(), which is built in since 13. Versions below 14 are no longer supported. */
const minVersion = 130_000;
const oldestSupportedVersion = 140_000;

const connectionsWarnShare = 0.9;
/** A fleet has one process that SLUICE_WORKERS does not count, with a pool of the same size. */
const maintenanceProcesses = 1;

/** How many connections the fleet may open according to this machine's configuration, and what it asks of each. */
export interface FleetDemand {
  /** SLUICE_WORKERS */
  workers: number;
  /** SLUICE_DATABASE_POOL_SIZE */
  poolSize: number;
  /** SLUICE_DATABASE_STATEMENT_TIMEOUT_MS */
  statementTimeoutMs: number;
}

/** What is wrong with a server that refuses connections, and the remedy, by error code. */
const refusals: Record<string, [problem: string, remedy: string]> = {
  DatabaseNotReachable: ['cannot be reached', 'start the server, or correct the host and port in DATABASE_URL'],
  ECONNREFUSED: ['cannot be reached', 'start the server, or correct the host and port in DATABASE_URL'],
  ENOTFOUND: ['cannot be reached: its host name cannot be resolved', 'correct the host in DATABASE_URL'],
  '28P01': ['refuses the user or password', 'correct the user and password in DATABASE_URL'],
  '3D000': ['has no such database', 'create the database, or correct its name in DATABASE_URL'],
  '53300': ['has no free connection', 'raise max_connections, or find out who uses them (pg_stat_activity)'],
  '57P03': ['is starting up, shutting down or recovering', 'wait; workers wait as well, and lose nothing'],
  ConnectionLost: ['accepts connections but does not answer', 'check whether the server hangs'],
  [timeoutCode]: ['does not answer in time', 'check whether the server hangs, and the network path to it'],
};

/** Whether PostgreSQL accepts connections from this machine. */
export function checkPostgresConnection(state: Answer<'ready'>): Finding {
  if (state.known) return on.ok('connection', 'the server answers');
  const refusal = refusals[state.code];
  if (refusal) return on.failure('connection', `PostgreSQL ${refusal[0]} (${state.code})`, refusal[1]);
  const why = state.remedy === undefined ? state.why : state.why.replace(` (${state.remedy})`, '');
  return on.failure(
    'connection',
    `PostgreSQL cannot be used: ${why}`,
    state.remedy ?? 'check the server, the network path to it, and the user, password and database in DATABASE_URL',
  );
}

/** Checks everything that the server reported about itself. */
export function checkPostgres(
  { server, passage, clock, askedStatementTimeoutMs }: PostgresFacts,
  demand: FleetDemand,
): Finding[] {
  if (!server.known)
    return [on.failure('server', `could not be checked: ${server.why}`, 'check whether the server is overloaded')];
  return [
    checkVersion(server.value),
    checkWritable(server.value),
    checkEncoding(server.value),
    checkSchema(server.value),
    checkPassage(passage),
    checkConnections(server.value, demand, passage.known && passage.value.isPooled),
    checkStatementTimeout(server.value.statementTimeoutMs, askedStatementTimeoutMs, demand.statementTimeoutMs),
    checkClock(on, clock),
  ];
}

function checkVersion({ version, versionNumber }: PostgresServer): Finding {
  const name = `PostgreSQL ${version}`;
  if (versionNumber < minVersion)
    return on.failure('version', `${name}: the tables need PostgreSQL 13 or later`, 'upgrade the server');
  if (versionNumber < oldestSupportedVersion)
    return on.warning('version', `${name}: no longer supported by the PostgreSQL project`, 'upgrade to 14 or later');
  return on.ok('version', name);
}

function checkWritable({ isInRecovery, isReadOnly }: PostgresServer): Finding {
  if (isInRecovery) return on.failure('writable', 'a standby, which refuses writes', 'set DATABASE_URL to the primary');
  if (isReadOnly)
    return on.failure(
      'writable',
      'transactions are read-only',
      'turn off default_transaction_read_only for this database and user; a full disk may have turned it on',
    );
  return on.ok('writable', 'primary');
}

function checkEncoding({ encoding }: PostgresServer): Finding {
  if (encoding === 'UTF8') return on.ok('encoding', 'UTF8');
  return on.failure(
    'encoding',
    `${encoding}: characters outside this encoding cannot be stored`,
    "create database … encoding 'UTF8' template template0, and use that database",
  );
}

function checkSchema({ schema }: PostgresServer): Finding {
  if (schema !== null) return on.ok('schema', schema);
  return on.failure(
    'schema',
    'there is no schema to create tables in',
    'run sluice migrate, which creates it if the role may create schemas, or correct the schema parameter in DATABASE_URL',
  );
}

/** Whether there is a pooler, and whether it does what Sluice needs: keep the statements of a transaction together. */
function checkPassage(passage: Answer<Passage>): Finding {
  const check = 'pooler';
  const remedy = "set the pooler's pool_mode to transaction or session";
  if (!passage.known) return on.failure(check, `transactions fail: ${passage.why}`, passage.remedy ?? remedy);
  const { isPooled, keepsTransactions, saysPooled } = passage.value;
  if (!keepsTransactions) return on.failure(check, 'the statements of a transaction go to several sessions', remedy);
  if (saysPooled && !isPooled)
    return on.warning(
      check,
      'pgbouncer=true in DATABASE_URL, but there is no pooler between this machine and the server',
      'correct the host and port in DATABASE_URL, or remove pgbouncer=true from it',
    );
  return on.ok(check, isPooled ? 'keeps transactions together' : 'none');
}

/**
 * Workers that are already running count as part of the fleet; the doctor's own connections do not count. Behind a
 * pooler, the fleet's connections are not the server's.
 */
function checkConnections(server: PostgresServer, { workers, poolSize }: FleetDemand, isPooled: boolean): Finding {
  const check = 'connections';
  const { maxConnections, reservedConnections, usedConnections, workerConnections } = server;
  const available = maxConnections - reservedConnections;
  const others = usedConnections - workerConnections;
  const demand = (workers + maintenanceProcesses) * poolSize;
  const fleet = `${workers} workers and ${maintenanceProcesses} maintenance process with ${poolSize} connections each need ${demand}`;
  if (!isPooled && others + Math.max(demand, workerConnections) > available)
    return on.warning(
      check,
      `${fleet}, but of the ${available} available, others use ${others} and workers ${workerConnections}`,
      'raise max_connections, or lower SLUICE_DATABASE_POOL_SIZE or SLUICE_WORKERS',
    );
  const message = `${usedConnections} of ${available} in use; ${isPooled ? "the fleet shares the pooler's" : fleet}`;
  if (usedConnections / available > connectionsWarnShare)
    return on.warning(check, message, 'find out who uses them (pg_stat_activity), or raise max_connections');
  return on.ok(check, message);
}

/** Each statement carries its own timeout, which takes precedence over any default. */
function checkStatementTimeout(gotMs: number, askedMs: number, oursMs: number): Finding {
  const check = 'statement timeout';
  if (gotMs === askedMs) return on.ok(check, 'as each statement asks for');
  const got = gotMs === 0 ? 'none' : `${gotMs} ms`;
  const message = `${got} is in force, not the timeout that a statement asks for; something between this machine and the server ignores it`;
  if (gotMs !== 0 && gotMs < oursMs)
    return on.warning(
      check,
      `${message}: statements are cancelled earlier than SLUICE_DATABASE_STATEMENT_TIMEOUT_MS (${oursMs}) allows`,
      `alter role … set statement_timeout = ${oursMs}, or connect without the pooler`,
    );
  return on.warning(check, message, `alter role … set statement_timeout = ${oursMs}, or connect without the pooler`);
}
