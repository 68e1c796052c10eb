import { classifyDatabaseError } from './database-errors.ts';
import { causesOf, fieldsOf } from './error-causes.ts';
import { redactMessage } from './redact-message.ts';

/** What a person can do about the failures that a set-up meets. */
const remedies: Record<string, string> = {
  '42P01': 'a table is missing: run `sluice migrate`',
  '42703': 'a column is missing because the tables are older than this build: run `sluice migrate`',
  '42501': 'the user of DATABASE_URL lacks a required privilege',
  '25006': 'the server or this user may only read: connect to the primary, as a user that may write',
  '28P01': 'check the user and the password in DATABASE_URL',
  '28000':
    'check the user in DATABASE_URL and its entries in pg_hba.conf; if the message says "no encryption", add sslmode=require',
  '3D000': 'create the database, or correct its name in DATABASE_URL',
  '3F000': 'the schema of DATABASE_URL does not exist: run `sluice migrate`',
  '08004': 'the server rejects the connection: see its log',
  '53300': 'raise max_connections, lower SLUICE_DATABASE_POOL_SIZE, or use a pooler such as PgBouncer',
  TlsNotOffered: 'enable ssl on the server, or choose another sslmode in DATABASE_URL',
  TlsUntrusted: "set sslrootcert in DATABASE_URL to the file of the CA that signed the server's certificate",
  TlsOtherHost: 'use the host name in the certificate, or sslmode=verify-ca, in DATABASE_URL',
  TlsExpired: "renew the server's certificate, and check the clocks",
  TlsFailed: 'check sslmode, sslcert and sslkey in DATABASE_URL against what the server requires',
  TlsConnectionError: 'check sslmode and sslrootcert in DATABASE_URL',
  ECONNREFUSED: 'check that the server is running, and the host and port in DATABASE_URL',
  ENOTFOUND: 'check the host in DATABASE_URL',
  P2024: 'the server is slow, or all connections are in use: repeat it later',
  P1001: 'check that the server is running, and the host and port in DATABASE_URL',
  DatabaseNotReachable: 'check that the server is running, and the host and port in DATABASE_URL',
  ConnectionClosed: 'see the log of the server, and of what is between',
  SocketTimeout: 'check whether the server hangs, and the network path to it',
};

/** What PgBouncer says, all of it as 08P01, and which of its settings that is about. */
const poolerRemedies: [pattern: RegExp, remedy: string][] = [
  [
    /^unsupported startup parameter/,
    'remove the parameter options from DATABASE_URL, or add it to ignore_startup_parameters in PgBouncer',
  ],
  [
    /^no such database|^database ".*" does not exist/,
    'create the database, add it to [databases] in PgBouncer, or correct its name in DATABASE_URL',
  ],
  [
    /^no such user|^(?:password|SASL) authentication failed|^auth failed/,
    'check the user and the password in DATABASE_URL, and auth_file or auth_query in PgBouncer',
  ],
  [/^no more connections allowed/, 'raise max_client_conn in PgBouncer, or lower SLUICE_DATABASE_POOL_SIZE'],
  [/^query_wait_timeout/, 'raise default_pool_size in PgBouncer: statements waited too long for a server connection'],
  [
    /^(?:query|idle transaction) ?_?timeout/,
    'remove query_timeout and idle_transaction_timeout from the settings of PgBouncer',
  ],
  [
    /^server login (?:has been )?fail|^login (?:rejected|failed)/,
    'PgBouncer cannot log in to PostgreSQL: check its [databases] and the server',
  ],
  [
    /^pgbouncer cannot connect to server|^server (?:conn crashed|connect)/,
    'PgBouncer cannot reach PostgreSQL: check the host and port in its [databases]',
  ],
  [/transaction blocks not allowed|statement pooling/, 'set pool_mode in PgBouncer to transaction or session'],
  [/^bouncer config error/, 'the settings of PgBouncer are wrong: see its log'],
];

/** What to do about an error, where that is known. */
function remedyFor(code: string, message: string): string | undefined {
  const ofPooler = code === '08P01' ? poolerRemedies.find(([pattern]) => pattern.test(message)) : undefined;
  return ofPooler?.[1] ?? remedies[code];
}

/** One line for a person: the code, what the server said and of what, and what to do, where that is known. Holds neither a secret nor a value. */
export function explainDatabaseError(thrown: unknown): string {
  const { code, message, remedy, ...place } = describeDatabaseError(thrown);
  const where = Object.entries(place).map(([what, name]) => `${what} ${name}`);
  const missing = where.filter((one) => !message.includes(one.slice(one.indexOf(' ') + 1)));
  const placed = missing.length === 0 ? '' : ` [${missing.join(', ')}]`;
  return `${code}: ${message}${placed}${remedy === undefined ? '' : ` (${remedy})`}`;
}

/** What a server said of a failed statement, for a log: no value of a row is in it. */
export interface DatabaseErrorFacts {
  code: string;
  message: string;
  schema?: string;
  table?: string;
  column?: string;
  constraint?: string;
  /** the function that raised it, such as that of a trigger */
  function?: string;
  /** what a person can do */
  remedy?: string;
}

const placeNames = ['schema', 'table', 'column', 'constraint', 'function'] as const;

/** The code of whatever a statement threw, the message without the values that it quotes, and what it was about. */
export function describeDatabaseError(thrown: unknown): DatabaseErrorFacts {
  const { code } = classifyDatabaseError(thrown);
  const message = serverMessage(thrown);
  const remedy = remedyFor(code, message);
  const place: Partial<Record<(typeof placeNames)[number], string>> = {};
  for (const error of causesOf(thrown)) {
    for (const name of placeNames) {
      const value = name === 'constraint' ? constraintOf(error) : error[name];
      if (typeof value === 'string' && value !== '') place[name] ??= value;
    }
  }
  return {
    // The code of an error that is not the database's may be any text.
    code: /^\w+$/.test(code) ? code : 'unknown',
    message: redactMessage(message, { names: Object.values(place) }),
    ...(remedy === undefined ? {} : { remedy }),
    ...place,
  };
}

/** The driver gives the name, Prisma's adapter an object that may have it. */
function constraintOf({ constraint }: Record<string, unknown>): unknown {
  return typeof constraint === 'object' && constraint !== null ? fieldsOf(constraint)['index'] : constraint;
}

/** What has happened, by the kind of Prisma's adapter: of these it keeps no message, and says the kind in its place. */
const failures: Record<string, (error: Record<string, unknown>) => string> = {
  DatabaseNotReachable({ host, port }) {
    if (typeof host !== 'string') return 'the server cannot be reached';
    return typeof port === 'number'
      ? `nothing listens on port ${port} of ${host}`
      : `the host name ${host} cannot be resolved`;
  },
  ConnectionClosed: () => 'the connection was closed before an answer came',
  SocketTimeout: () => 'the server did not answer in time',
  TlsConnectionError: ({ reason }) => `TLS failed: ${typeof reason === 'string' ? reason : 'no reason is known'}`,
};

/** Prisma puts a heading and the failing code above what the server said. */
function serverMessage(thrown: unknown): string {
  let message = '';
  for (const error of causesOf(thrown)) {
    if (typeof error['originalMessage'] === 'string') return error['originalMessage'];
    if (typeof error['message'] === 'string' && error['message'] !== '') message = error['message'];
    const kind = error['kind'];
    if (typeof kind === 'string' && Object.hasOwn(failures, kind)) message = failures[kind]?.(error) ?? message;
  }
  return message.split('\n').findLast((line) => line.trim() !== '') ?? '';
}
