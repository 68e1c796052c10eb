import type { Passage } from '../../shared/platform/postgres/database.ts';
import { type Answer, timeoutCode } from '../answer.ts';
import { checkClock } from '../check-clock.ts';
import { type Finding, findingsOn } from '../finding.ts';
import type { PostgresFacts, PostgresServer } from './postgres-facts.ts';

const on = findingsOn('postgres');

/** dead_letter needs gen_random_uuid(), which the server has of itself since the first; before the second, nobody supports it. */
const minVersion = 130_000;
const oldestSupportedVersion = 140_000;

const connectionsWarnShare = 0.9;
/** A fleet has one that SLUICE_WORKERS does not count, with a pool of the same size. */
const maintenanceProcesses = 1;

/** How many connections the fleet may open, as far as this machine's configuration knows, and what it asks of each. */
export interface FleetDemand {
  /** SLUICE_WORKERS */
  workers: number;
  /** SLUICE_DATABASE_POOL_SIZE */
  poolSize: number;
  /** SLUICE_DATABASE_STATEMENT_TIMEOUT_MS */
  statementTimeoutMs: number;
}

/** What is wrong with a server that does not let anybody in, and what can be done; by the code of its error. */
const refusals: Record<string, [problem: string, remedy: string]> = {
  DatabaseNotReachable: ['cannot be reached', 'start the server, or correct host and port in DATABASE_URL'],
  ECONNREFUSED: ['cannot be reached', 'start the server, or correct host and port in DATABASE_URL'],
  ENOTFOUND: ['cannot be reached: its name is not known', 'correct the host in DATABASE_URL'],
  '28P01': ['refuses user or password', 'correct user and password in DATABASE_URL'],
  '3D000': ['has no such database', 'create the database, or correct its name in DATABASE_URL'],
  '53300': ['has no connection left', 'raise max_connections, or find out who holds them (pg_stat_activity)'],
  '57P03': ['is starting up, shutting down or recovering', 'wait; workers wait, too, and lose nothing'],
  ConnectionLost: ['accepts connections and does not answer', 'look whether the server hangs'],
  [timeoutCode]: ['does not answer in time', 'look whether the server hangs, and at the way to it'],
};

/** Whether PostgreSQL lets this machine in. */
export function checkPostgresConnection(state: Answer<'ready'>): Finding {
  if (state.known) return on.ok('connection', 'the server answers');
  const refusal = refusals[state.code];
  if (refusal) return on.failure('connection', `PostgreSQL ${refusal[0]} (${state.code})`, refusal[1]);
  const why = state.remedy === undefined ? state.why : state.why.replace(` (${state.remedy})`, '');
  return on.failure(
    'connection',
    `PostgreSQL cannot be used: ${why}`,
    state.remedy ?? 'look at the server, the way to it, and DATABASE_URL: user, password and database',
  );
}

/** All that the server told about itself. */
export function checkPostgres(
  { server, passage, clock, askedStatementTimeoutMs }: PostgresFacts,
  demand: FleetDemand,
): Finding[] {
  if (!server.known)
    return [on.failure('server', `could not be looked at: ${server.why}`, 'look whether the server is overloaded')];
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
    return on.failure('version', `${name}: the tables need 13 or later`, 'upgrade the server');
  if (versionNumber < oldestSupportedVersion)
    return on.warning('version', `${name}: no longer supported by its makers`, 'upgrade to 14 or later');
  return on.ok('version', name);
}

function checkWritable({ isInRecovery, isReadOnly }: PostgresServer): Finding {
  if (isInRecovery)
    return on.failure('writable', 'a standby, which refuses writes', 'put the primary into DATABASE_URL');
  if (isReadOnly)
    return on.failure(
      'writable',
      'transactions are read-only',
      'turn default_transaction_read_only off for this database and user; a full disk may have turned it on',
    );
  return on.ok('writable', 'primary');
}

function checkEncoding({ encoding }: PostgresServer): Finding {
  if (encoding === 'UTF8') return on.ok('encoding', 'UTF8');
  return on.failure(
    'encoding',
    `${encoding}: characters that it lacks cannot be stored`,
    "create database … encoding 'UTF8' template template0, and use that one",
  );
}

function checkSchema({ schema }: PostgresServer): Finding {
  if (schema !== null) return on.ok('schema', schema);
  return on.failure(
    'schema',
    'there is none to make tables in',
    'run sluice migrate, which makes it where the role may create schema …, or correct the parameter schema in DATABASE_URL',
  );
}

/** Whether a pooler is between, and does what Sluice needs: it keeps the statements of a transaction together. */
function checkPassage(passage: Answer<Passage>): Finding {
  const check = 'pooler';
  const remedy = 'set pool_mode of the pooler to transaction or session';
  if (!passage.known)
    return on.failure(check, `transactions do not get through: ${passage.why}`, passage.remedy ?? remedy);
  const { isPooled, keepsTransactions, saysPooled } = passage.value;
  if (!keepsTransactions) return on.failure(check, 'the statements of a transaction go to several sessions', remedy);
  if (saysPooled && !isPooled)
    return on.warning(
      check,
      'pgbouncer=true in DATABASE_URL, but nothing is between this machine and the server',
      'correct host and port in DATABASE_URL, or take pgbouncer out of it',
    );
  return on.ok(check, isPooled ? 'one that keeps transactions together' : 'none');
}

/**
 * Workers that run already are counted as the fleet's; the doctor's own connections are not counted. Behind a pooler,
 * connections of the fleet are none of the server's.
 */
function checkConnections(server: PostgresServer, { workers, poolSize }: FleetDemand, isPooled: boolean): Finding {
  const check = 'connections';
  const { maxConnections, reservedConnections, usedConnections, workerConnections } = server;
  const available = maxConnections - reservedConnections;
  const others = usedConnections - workerConnections;
  const demand = (workers + maintenanceProcesses) * poolSize;
  const fleet = `${workers} workers and ${maintenanceProcesses} for maintenance with ${poolSize} each need ${demand}`;
  if (!isPooled && others + Math.max(demand, workerConnections) > available)
    return on.warning(
      check,
      `${fleet}, but of ${available} that there are, others use ${others} and workers ${workerConnections}`,
      'raise max_connections, or lower SLUICE_DATABASE_POOL_SIZE or SLUICE_WORKERS',
    );
  const message = `${usedConnections} of ${available} in use; ${isPooled ? 'the fleet shares those of the pooler' : fleet}`;
  if (usedConnections / available > connectionsWarnShare)
    return on.warning(check, message, 'find out who holds them (pg_stat_activity), or raise max_connections');
  return on.ok(check, message);
}

/** Each statement brings its timeout along, which goes before any default. */
function checkStatementTimeout(gotMs: number, askedMs: number, oursMs: number): Finding {
  const check = 'statement timeout';
  if (gotMs === askedMs) return on.ok(check, 'as each statement asks for');
  const got = gotMs === 0 ? 'none' : `${gotMs} ms`;
  const message = `${got} is in force, not what a statement asks for; what is between ignores it`;
  if (gotMs !== 0 && gotMs < oursMs)
    return on.warning(
      check,
      `${message}: statements are cancelled earlier than SLUICE_DATABASE_STATEMENT_TIMEOUT_MS (${oursMs}) says`,
      `alter role … set statement_timeout = ${oursMs}, or connect without the pooler`,
    );
  return on.warning(check, message, `alter role … set statement_timeout = ${oursMs}, or connect without the pooler`);
}
