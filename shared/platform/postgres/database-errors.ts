import { redactMessage, wordsOf } from './redact-message.ts';

/** What to do about a failed statement. */
export type DatabaseErrorClass =
  /** the server or the way to it is in trouble; the same statement will work later */
  | 'transient'
  /** every row would fail until a person mends something: schema, rights, an extension, or what nobody has met yet */
  | 'systemic'
  /** something in the rows is at fault; others may well be stored */
  | 'data'
  /** the row is there already */
  | 'duplicate'
  /** no error of a database at all: a bug, most likely ours */
  | 'unknown';

export interface ClassifiedDatabaseError {
  class: DatabaseErrorClass;
  /** SQLSTATE, or the name of a failure that has none, such as `DatabaseNotReachable` or `ECONNRESET` */
  code: string;
}

/**
 * Classes by SQLSTATE, longest prefix first.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const bySqlState: [prefix: string, class_: DatabaseErrorClass][] = [
  ['23505', 'duplicate'],
  ['25006', 'transient'], // read-only: a standby that is being promoted
  ['55P03', 'transient'], // lock not available
  ['25P03', 'transient'], // idle in transaction for too long
  ['25P04', 'transient'], // transaction for too long
  ['54000', 'data'], // program limit: an index row too large
  ['54001', 'data'], // statement too complex: JSON nested too deeply
  ['21000', 'data'],
  ['55006', 'transient'], // object in use
  ['55000', 'transient'], // object not in the state that it should be in
  ['08', 'transient'],
  ['40', 'transient'], // rolled back: serialization failure, deadlock
  ['57', 'transient'], // an operator: timeout, shutdown, crash, cannot connect now
  ['53', 'transient'],
  ['58', 'transient'], // of the system: I/O, a file that is not there
  ['XX', 'transient'], // internal: also what poolers say when they have too much to do
  ['22', 'data'],
  ['23', 'data'],
  ['P0', 'data'], // raised by a trigger
  ['0A', 'systemic'],
  ['28', 'systemic'],
  ['3D', 'systemic'],
  ['3F', 'systemic'],
  ['42', 'systemic'],
];

/** The code of a statement that had no answer in time, not even that it took too long. */
const noAnswer = 'NoAnswer';

/** Failures without a SQLSTATE: Prisma's adapter names some, Node's sockets others. All mean that no answer came. */
const transientNames = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TlsConnectionError',
  'TlsNotOffered',
  'TlsUntrusted',
  'TlsOtherHost',
  'TlsExpired',
  'TlsFailed',
  'TooManyConnections',
  'TransactionAlreadyClosed',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'P1001', // cannot reach the server
  'P1002', // timed out
  'P1008', // operation timed out
  'P1017', // server closed the connection
  'P2024', // no connection from the pool in time
]);

/** Failures that the driver reports as plain Errors: no code, so only the text tells. */
const transientMessages: [pattern: RegExp, code: string][] = [
  [/^Connection terminated/, 'ConnectionLost'],
  [/^timeout exceeded when trying to connect$/, 'ConnectionLost'],
  [/^Query read timeout$/, noAnswer],
  [/^Client has encountered a connection error and is not queryable$/, 'ConnectionLost'],
  [/^Client was closed and is not queryable$/, 'ConnectionLost'],
];

/** The class of a SQLSTATE. One that is not known here may hit every row, so it waits for a person to look. */
export function classifySqlState(code: string): DatabaseErrorClass {
  return bySqlState.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'systemic';
}

/** SQLSTATE of a lock that was not had in time. */
export const lockNotAvailable = '55P03';

/** SQLSTATE of a deadlock that was ended at this statement's expense. */
export const deadlockDetected = '40P01';

/** SQLSTATE of a statement that was cancelled, mostly as its time had run out. */
export const queryCanceled = '57014';

/** SQLSTATE of a right that the user lacks. */
export const insufficientPrivilege = '42501';

/** SQLSTATE of a table that is not there. */
export const undefinedTable = '42P01';

/** A lock was not had in time, not before the statement's own time was up, or only at the price of somebody else's transaction. */
export const lockCodes: readonly string[] = [lockNotAvailable, deadlockDetected, queryCanceled];

/** Serialization failure, deadlock, lock not had, time run out, out of memory. */
const ofOneStatement = new Set(['40001', ...lockCodes, '53200']);

/** Whether an error says more about the statement that met it than about the server: others may well get through. */
export function isOfOneStatement({ code }: ClassifiedDatabaseError): boolean {
  return ofOneStatement.has(code);
}

/** Whether no answer of the server came to a statement: the connection is broken, or silent. */
export function isUnanswered(thrown: unknown): boolean {
  return isWithoutAnswer(classifyDatabaseError(thrown));
}

/** What is transient and no SQLSTATE is the name of a failure on the way. Names may look like one: `EPIPE`, `E2BIG`. */
function isWithoutAnswer({ class: errorClass, code }: ClassifiedDatabaseError): boolean {
  return errorClass === 'transient' && classifySqlState(code) !== 'transient';
}

/** Names of constraints that are there for a moment only, while a partition is made. */
export const passingConstraintPrefix = 'sluice_passing_';

/**
 * Whether a row was refused for something that passes while a partition is made: by such a constraint, or because the
 * partition was attached between the choice of its place and the insert. Nothing is wrong with the row. It takes an error of
 * the driver: Prisma's adapter hands on neither the constraint nor the routine.
 */
export function isPassingRefusal(thrown: unknown): boolean {
  if (classifyDatabaseError(thrown).code !== '23514') return false;
  return [...causesOf(thrown)].some(
    ({ constraint, routine }) =>
      String(constraint).startsWith(passingConstraintPrefix) || routine === partitionCheckRoutine,
  );
}

/** Where PostgreSQL refuses a row for the bounds of its partition: they have no name, and the message is in any language. */
const partitionCheckRoutine = 'ExecPartitionCheckEmitError';

const lackingNames = new Set([noAnswer, 'SocketTimeout', 'ETIMEDOUT', 'P1008', 'P2024']);

/**
 * Whether a statement lacked something that rows cannot be blamed for: time, room, a lock, an order without conflicts. However
 * often that is said of one record, it is no reason to give the record up.
 */
export function isLackOfResources({ code }: ClassifiedDatabaseError): boolean {
  return /^(?:53|40)...$/.test(code) || ofOneStatement.has(code) || code === '55006' || lackingNames.has(code);
}

/**
 * In what way a statement failed, to tell whether it failed twice alike: the code, but one word for all that means that the
 * connection broke, since the same crash is told in many ways.
 */
export function wayOfFailure(error: ClassifiedDatabaseError): string {
  const { class: errorClass, code } = error;
  const isOfConnection = isWithoutAnswer(error) || (errorClass === 'transient' && /^(?:08|57P)/.test(code));
  return isOfConnection ? 'connection' : code;
}

/** Sorts whatever a statement threw, through Prisma or straight from the driver. Total: never throws. */
export function classifyDatabaseError(thrown: unknown): ClassifiedDatabaseError {
  let unknownCode: string | null = null;
  for (const error of causesOf(thrown)) {
    const sqlState = sqlStateOf(error);
    if (sqlState !== null) return { class: classifySqlState(sqlState), code: sqlState };
    const name = [error['kind'], error['code']].find((value) => typeof value === 'string' && transientNames.has(value));
    if (typeof name === 'string') return { class: 'transient', code: name };
    if (isSystemError(error)) return { class: 'transient', code: String(error['code']) };
    const { message } = error;
    const known = transientMessages.find(([pattern]) => typeof message === 'string' && pattern.test(message));
    if (known !== undefined) return { class: 'transient', code: known[1] };
    if (unknownCode === null && typeof error['code'] === 'string') unknownCode = error['code'];
  }
  return { class: 'unknown', code: unknownCode ?? 'unknown' };
}

/** Whether the operating system refused a call: a socket file that is not there yet, no more file descriptors, and the like. */
function isSystemError(error: Record<string, unknown>): boolean {
  return (
    typeof error['syscall'] === 'string' && typeof error['errno'] === 'number' && typeof error['code'] === 'string'
  );
}

/** The error and what is behind it, innermost last: Prisma wraps the adapter's error, which wraps the driver's. */
function* causesOf(thrown: unknown): Generator<Record<string, unknown>> {
  const seen = new Set<unknown>();
  const open: unknown[] = [thrown];
  while (open.length > 0) {
    const next = open.shift();
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    const error = fieldsOf(next);
    yield error;
    const { cause, errors, meta } = error;
    if (typeof meta === 'object' && meta !== null) open.push(fieldsOf(meta)['driverAdapterError']);
    open.push(cause);
    if (Array.isArray(errors)) for (const one of errors) open.push(one);
  }
}

const fieldNames = [
  'name',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'function',
  'where',
  'file',
  'routine',
  'index',
  'code',
  'kind',
  'message',
  'originalCode',
  'originalMessage',
  'syscall',
  'errno',
  'meta',
  'driverAdapterError',
  'cause',
  'errors',
];

/** A copy of the fields that count; those that cannot be read are absent. */
function fieldsOf(error: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of fieldNames) {
    try {
      const value = (error as Record<string, unknown>)[name];
      fields[name] = Array.isArray(value) ? [...value] : value;
    } catch {
      // absent
    }
  }
  return fields;
}

/** Where it comes from tells: only what the server has sent has a severity. Codes of Node and Prisma may look alike. */
function sqlStateOf(error: Record<string, unknown>): string | null {
  const isOfServer = typeof error['severity'] === 'string' || error['name'] === statementErrorName;
  const code = error['originalCode'] ?? (isOfServer ? error['code'] : null);
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** What a person can do about the failures that a set-up meets. */
const remedies: Record<string, string> = {
  '42P01': 'a table is missing: run `sluice migrate`',
  '42703': 'a column is missing because the tables are older than this build: run `sluice migrate`',
  '42501': 'the user of DATABASE_URL lacks a required privilege',
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
  P1001: 'check that the server is running, and the host and port in DATABASE_URL',
  DatabaseNotReachable: 'check that the server is running, and the host and port in DATABASE_URL',
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

/** Prisma puts a heading and the failing code above what the server said. */
function serverMessage(thrown: unknown): string {
  let message = '';
  for (const error of causesOf(thrown)) {
    if (typeof error['originalMessage'] === 'string') return error['originalMessage'];
    if (typeof error['message'] === 'string' && error['message'] !== '') message = error['message'];
  }
  return message.split('\n').findLast((line) => line.trim() !== '') ?? '';
}

const statementErrorName = 'StatementError';

/** A statement that PostgreSQL refused, with all that may be told of it. */
export class StatementError extends Error implements DatabaseErrorFacts {
  override readonly name = statementErrorName;
  readonly code: string;
  declare readonly schema?: string;
  declare readonly table?: string;
  declare readonly column?: string;
  declare readonly constraint?: string;
  declare readonly function?: string;
  /** of PostgreSQL's source, which raised it */
  declare readonly routine?: string;

  constructor({ code, message, ...facts }: DatabaseErrorFacts & { routine?: string }) {
    super(message);
    this.code = code;
    Object.assign(this, facts);
  }
}

/** Sources of the languages that functions are written in: what they raise is worded by whoever wrote the function. */
const languageSources = /^(?:pl_|plpy|plperl|pltcl|plv8)/;

/**
 * What the driver threw, without what it quotes of the rows: PostgreSQL puts values into message, detail and context. An
 * error that is not PostgreSQL's stays as it is.
 *
 * @param json the statement's parameter
 */
export function toStatementError(thrown: unknown, json: string): unknown {
  if (!(thrown instanceof Error) || !('severity' in thrown)) return thrown;
  const error = fieldsOf(thrown);
  const { code, message, where, file } = error;
  if (typeof code !== 'string' || typeof message !== 'string') return thrown;
  const place: Partial<Record<(typeof errorFields)[number], string>> = {};
  for (const name of errorFields) {
    const value = error[name];
    if (typeof value === 'string') place[name] = value;
  }
  const { routine, ...named } = place;
  const names = Object.values(named);
  const facts = { code, message: redactMessage(message, { names }), ...place };
  if (typeof file === 'string' && languageSources.test(file)) {
    const values = wordsOf(json);
    facts.message = values === null ? 'a function refused it' : redactMessage(message, { names, values });
  }
  const raisedIn = ofFunction.exec(typeof where === 'string' ? where : '')?.[1];
  return new StatementError({ ...facts, ...(raisedIn === undefined ? {} : { function: raisedIn }) });
}

const errorFields = ['schema', 'table', 'column', 'constraint', 'routine'] as const;

/** The function in a line of a context such as "PL/pgSQL function odd(integer) line 1 at RAISE", in any language: before it there is no value. */
const ofFunction = /^[^\n(:"'«»„]*PL\/pgSQL[^\n(:"'«»„]*?([\w.$]+\([^)"']*\))/m;
