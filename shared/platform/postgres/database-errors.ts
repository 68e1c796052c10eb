import { causesOf } from './error-causes.ts';

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
  // Its code, P2028, also says that a transaction took too long.
  [/^Transaction API error: Unable to start a transaction in the given time\.$/, 'P2024'],
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

/** The name of errors that `toStatementError` makes. */
export const statementErrorName = 'StatementError';

/** Where it comes from tells: only what the server has sent has a severity. Codes of Node and Prisma may look alike. */
function sqlStateOf(error: Record<string, unknown>): string | null {
  const isOfServer = typeof error['severity'] === 'string' || error['name'] === statementErrorName;
  const code = error['originalCode'] ?? (isOfServer ? error['code'] : null);
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
