import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  classifyDatabaseError,
  classifySqlState,
  type DatabaseErrorClass,
  isUnanswered,
  wayOfFailure,
} from '../../../../shared/platform/postgres/database-errors.ts';
import {
  describeDatabaseError,
  explainDatabaseError,
} from '../../../../shared/platform/postgres/explain-database-error.ts';
import { StatementError, toStatementError } from '../../../../shared/platform/postgres/statement-error.ts';
import { anyValue } from '../../../support/any-value.ts';
import { throwingGetter, unreadableObjects } from '../../../support/unreadable.ts';

const codes: Record<DatabaseErrorClass, string[]> = {
  transient: [
    ...['08000', '08001', '08003', '08004', '08006', '08007', '08P01'],
    ...['40001', '40P01', '55P03', '57014', '25006'],
    ...['53000', '53100', '53200', '53300', '53400'],
    ...['57000', '57P01', '57P02', '57P03', '57P04', '57P05'],
    ...['25P03', '25P04', '40002', '55000', '55006', '58000', '58030', '58P01', 'XX000', 'XX001'],
  ],
  systemic: [
    ...['42P01', '42703', '42501', '42601', '42883', '42804', '42P10', '42000'],
    ...['3D000', '3F000', '28000', '28P01', '0A000'],
    // Known to nobody here: it may hit every row.
    ...['25P02', '26000', '54011', '00000', '99999'],
  ],
  data: [
    ...['22P02', '22P05', '22021', '22003', '22007', '22008', '22001', '22023', '22032'],
    ...['23502', '23503', '23514', '23P01', '23000', '23001'],
    ...['54000', '54001', '21000', 'P0001'],
  ],
  duplicate: ['23505'],
  unknown: [],
};

const table = Object.entries(codes).flatMap(([class_, list]) =>
  list.map((code): [string, DatabaseErrorClass] => [code, class_ as DatabaseErrorClass]),
);

/** As Prisma reports a failed raw statement, the driver's error within. */
const prismaError = (cause: object, message = 'Raw query failed') =>
  Object.assign(new Error(message), {
    name: 'PrismaClientKnownRequestError',
    code: 'P2010',
    meta: { driverAdapterError: Object.assign(new Error('DriverAdapterError'), { cause }) },
  });

test.each(table)('SQLSTATE: %s is %s, straight from the driver or through Prisma', (code, class_) => {
  expect(classifySqlState(code)).toBe(class_);
  const expected = { class: class_, code };
  expect(classifyDatabaseError(Object.assign(new Error('from pg'), { code, severity: 'ERROR' }))).toEqual(expected);
  expect(classifyDatabaseError(prismaError({ originalCode: code, kind: 'postgres' }))).toEqual(expected);
});

test('SQLSTATE: what is said in words does not decide', () => {
  const liar = Object.assign(new Error('Connection terminated unexpectedly'), { code: '22P02', severity: 'ERROR' });
  expect(classifyDatabaseError(liar)).toEqual({ class: 'data', code: '22P02' });
  const message = 'Raw query failed. Code: `40001`. Message: `could not serialize`';
  expect(classifyDatabaseError(new Error(message))).toEqual({ class: 'unknown', code: 'unknown' });
});

test.each<[cause: object, expected: { class: DatabaseErrorClass; code: string }]>([
  [
    { kind: 'DatabaseNotReachable', host: 'h', port: 1 },
    { class: 'transient', code: 'DatabaseNotReachable' },
  ],
  [{ kind: 'ConnectionClosed' }, { class: 'transient', code: 'ConnectionClosed' }],
  [{ kind: 'SocketTimeout' }, { class: 'transient', code: 'SocketTimeout' }],
  [
    { kind: 'TlsConnectionError', reason: 'x' },
    { class: 'transient', code: 'TlsConnectionError' },
  ],
  [
    { kind: 'TooManyConnections', originalCode: '53300' },
    { class: 'transient', code: '53300' },
  ],
  [
    { kind: 'TransactionWriteConflict', originalCode: '40P01' },
    { class: 'transient', code: '40P01' },
  ],
  [
    { kind: 'InvalidInputValue', originalCode: '22P02' },
    { class: 'data', code: '22P02' },
  ],
  [
    { kind: 'UniqueConstraintViolation', originalCode: '23505' },
    { class: 'duplicate', code: '23505' },
  ],
  [
    { kind: 'AuthenticationFailed', originalCode: '28P01' },
    { class: 'systemic', code: '28P01' },
  ],
  [
    { kind: 'TableDoesNotExist', originalCode: '42P01' },
    { class: 'systemic', code: '42P01' },
  ],
  [
    { kind: 'postgres', originalCode: 'XX000' },
    { class: 'transient', code: 'XX000' },
  ],
])('Prisma: a driver error of %o is told by its cause, not by P2010', (cause, expected) => {
  expect(classifyDatabaseError(prismaError(cause))).toEqual(expected);
});

test('Prisma: a plain object of the same shape is read the same way', () => {
  const shape = { code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '22P02', kind: 'postgres' } } } };
  expect(classifyDatabaseError(shape)).toEqual({ class: 'data', code: '22P02' });
});

test.each(['P1001', 'P1002', 'P1008', 'P1017', 'P2024'])('Prisma: %s is transient', (code) => {
  expect(classifyDatabaseError(Object.assign(new Error('x'), { code }))).toEqual({ class: 'transient', code });
});

test('Prisma: a transaction that could not begin is one without a connection, and one that took too long is not', () => {
  const errorOf = (message: string) => Object.assign(new Error(message), { code: 'P2028' });
  const late = errorOf('Transaction API error: Unable to start a transaction in the given time.');
  expect(classifyDatabaseError(late)).toEqual({ class: 'transient', code: 'P2024' });
  expect(explainDatabaseError(late)).toMatch(/^P2024: .*repeat it later\)$/);
  expect(classifyDatabaseError(errorOf('Transaction API error: A query cannot be executed.')).class).toBe('unknown');
});

test.each(['P2002', 'P2010', 'P2025', 'P1000'])('Prisma: %s alone says nothing that is known, but is named', (code) => {
  expect(classifyDatabaseError(Object.assign(new Error('x'), { code }))).toEqual({ class: 'unknown', code });
});

test.each([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
])('socket: %s is transient', (code) => {
  const error = Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect', errno: -1 });
  expect(classifyDatabaseError(error)).toEqual({ class: 'transient', code });
  expect(classifyDatabaseError(new Error('wrapped', { cause: error }))).toEqual({ class: 'transient', code });
  expect(classifyDatabaseError(new AggregateError([new Error('first'), error]))).toEqual({ class: 'transient', code });
});

test.each(['EACCES', 'EBUSY', 'EPERM', 'ENOENT'])('socket: %s is nothing that is known, and no SQLSTATE', (code) => {
  expect(classifyDatabaseError(Object.assign(new Error('x'), { code }))).toEqual({ class: 'unknown', code });
});

test.each(['EPIPE', 'E2BIG', 'EPERM', 'EBADF', 'EROFS'])(
  'socket: %s of a system call looks like a SQLSTATE and is none, one that a function raised is one',
  (code) => {
    const ofSystem = Object.assign(new Error(`write ${code}`), { code, errno: -32, syscall: 'write' });
    expect(classifyDatabaseError(ofSystem)).toEqual({ class: 'transient', code });
    expect(isUnanswered(new Error('wrapped', { cause: ofSystem }))).toBe(true);
    expect(wayOfFailure(classifyDatabaseError(ofSystem))).toBe('connection');
    for (const raised of [
      Object.assign(new Error('raised'), { code, severity: 'ERROR' }),
      new StatementError({ code, message: 'raised' }),
      prismaError({ originalCode: code, kind: 'postgres' }),
    ]) {
      expect(classifyDatabaseError(raised)).toEqual({ class: 'systemic', code });
      expect(isUnanswered(raised)).toBe(false);
      expect(wayOfFailure(classifyDatabaseError(raised))).toBe(code);
    }
  },
);

test('socket: a code without a sign of the server says nothing that is known', () => {
  expect(classifyDatabaseError(Object.assign(new Error('x'), { code: '08006' }))).toEqual({
    class: 'unknown',
    code: '08006',
  });
});

test.each([
  'Connection terminated unexpectedly',
  'Connection terminated',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
])('driver: the plain error "%s" is transient', (message) => {
  const expected = { class: 'transient', code: 'ConnectionLost' };
  expect(classifyDatabaseError(new Error(message))).toEqual(expected);
  expect(classifyDatabaseError(new Error('wrapped', { cause: new Error(message) }))).toEqual(expected);
});

test.each([
  'the user wrote: Connection terminated',
  'Query read timeout of mine',
  'timeout exceeded when trying to connect the dots',
])('driver: the plain error "%s" is not', (message) => {
  expect(classifyDatabaseError(new Error(message))).toEqual({ class: 'unknown', code: 'unknown' });
});

test('causes: the outermost SQLSTATE decides', () => {
  const inner = Object.assign(new Error('inner'), { code: '08006', severity: 'FATAL' });
  const outer = Object.assign(new Error('outer', { cause: inner }), { code: '22P02', severity: 'ERROR' });
  expect(classifyDatabaseError(outer)).toEqual({ class: 'data', code: '22P02' });
});

test('causes: a circle of them is walked once', () => {
  const one = new Error('one');
  const other = new Error('other', { cause: one });
  one.cause = other;
  expect(classifyDatabaseError(one)).toEqual({ class: 'unknown', code: 'unknown' });
});

test('causes: an unknown code on the way does not hide a known one behind it', () => {
  const socket = Object.assign(new Error('x'), { code: 'ECONNRESET' });
  const outer = Object.assign(new Error('y', { cause: socket }), { code: 'P2010' });
  expect(classifyDatabaseError(outer)).toEqual({ class: 'transient', code: 'ECONNRESET' });
});

test.each([
  null,
  undefined,
  5,
  'Connection terminated',
  Symbol('s'),
  () => 1,
  [],
  {},
  { code: 5 },
  { meta: null },
  { meta: 5 },
])('total: %o is unknown', (thrown) => {
  expect(classifyDatabaseError(thrown)).toEqual({ class: 'unknown', code: 'unknown' });
});

test.each([
  ...unreadableObjects(),
  ...['code', 'kind', 'message', 'meta', 'cause', 'errors', 'originalCode'].map((name): [string, object] => [
    `an object whose ${name} throws`,
    throwingGetter(name),
  ]),
])('total: %s is sorted, and explained, without a throw', (_kind, thrown) => {
  for (const error of [
    thrown,
    { cause: thrown },
    { meta: { driverAdapterError: thrown } },
    new AggregateError([thrown]),
  ]) {
    expect(classifyDatabaseError(error).class).toBe('unknown');
    expect(explainDatabaseError(error)).toBeTypeOf('string');
  }
});

test('total: whatever was thrown, it is sorted, and explained in one line', () => {
  const field = fc.oneof(anyValue, fc.constantFrom('22P02', 'P2010', '08006', 'DatabaseNotReachable'));
  const shape = fc.record(
    {
      code: field,
      kind: field,
      originalCode: field,
      message: field,
      meta: fc.record({ driverAdapterError: field }),
      cause: field,
      errors: field,
    },
    { requiredKeys: [] },
  );
  const names = new Set(Object.keys(codes));
  fc.assert(
    fc.property(fc.oneof(anyValue, shape), (thrown) => {
      const { class: class_, code } = classifyDatabaseError(thrown);
      expect(names).toContain(class_);
      expect(code).toBeTypeOf('string');
      expect(explainDatabaseError(thrown)).not.toContain('\n');
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['42P01', 'a table is missing: run `sluice migrate`'],
  ['42703', 'run `sluice migrate`'],
  ['42501', 'lacks a required privilege'],
  ['28P01', 'check the user and the password'],
  ['28000', 'check the user'],
  ['3D000', 'create the database'],
])('explained: of %s the remedy is told', (code, remedy) => {
  const text = explainDatabaseError(prismaError({ originalCode: code, originalMessage: 'so says the server' }));
  expect(text).toMatch(new RegExp(`^${code}: so says the server \\(.+\\)$`));
  expect(text).toContain(remedy);
});

test.each([
  [
    { kind: 'DatabaseNotReachable', host: '10.0.0.7', port: 5432 },
    /^DatabaseNotReachable: nothing listens on port 5432 of 10\.0\.0\.7 \(check that the server is running/,
  ],
  [
    { kind: 'DatabaseNotReachable', host: 'db.internal' },
    /^DatabaseNotReachable: the host name db\.internal cannot be resolved \(check/,
  ],
  [{ kind: 'DatabaseNotReachable' }, /^DatabaseNotReachable: the server cannot be reached \(check/],
  [{ kind: 'ConnectionClosed' }, /^ConnectionClosed: the connection was closed before an answer came \(see the log/],
  [{ kind: 'SocketTimeout' }, /^SocketTimeout: the server did not answer in time \(check whether/],
  [{ kind: 'TlsConnectionError', reason: 'self-signed' }, /^TlsConnectionError: TLS failed: self-signed \(check/],
])('explained: where Prisma keeps no message, it is told what has happened: %o', (cause, text) => {
  const adapterError = Object.assign(new Error(cause.kind), { name: 'DriverAdapterError', cause });
  const thrown = Object.assign(new Error('\nInvalid invocation:\n\nRaw query failed.'), {
    ...{ name: 'PrismaClientKnownRequestError', code: 'P2010', meta: { driverAdapterError: adapterError } },
  });
  expect(explainDatabaseError(thrown)).toMatch(text);
});

test('explained: what the server says in several lines is one line, without values', () => {
  const cause = { originalCode: '22P02', originalMessage: 'invalid input\nof "a\nb"', kind: 'postgres' };
  expect(explainDatabaseError(prismaError(cause))).toBe('22P02: invalid input of "…"');
});

test('explained: table, column, constraint and function are told where the message leaves them out', () => {
  const error = Object.assign(new Error('refused'), {
    ...{ severity: 'ERROR', code: 'P0001', schema: 'public', table: 'request', constraint: 'odd' },
    ...{ detail: 'Key (id)=(secret)', where: 'PL/pgSQL function odd_trigger() line 1 at RAISE', file: 'pl_exec.c' },
  });
  const refused = toStatementError(error, '[{"id":"secret"}]');
  expect(describeDatabaseError(refused)).toEqual({
    ...{ code: 'P0001', message: 'refused', schema: 'public', table: 'request', constraint: 'odd' },
    function: 'odd_trigger()',
  });
  expect(explainDatabaseError(refused)).toBe(
    'P0001: refused [schema public, table request, constraint odd, function odd_trigger()]',
  );
  expect(inspect(refused, { depth: 10 })).not.toContain('secret');
});

test('driver: a statement that had no answer in time is told from a connection that broke', () => {
  expect(classifyDatabaseError(new Error('Query read timeout'))).toEqual({ class: 'transient', code: 'NoAnswer' });
});

test('explained: without a remedy, the code and what the server said are enough', () => {
  expect(explainDatabaseError(Object.assign(new Error('bad input'), { code: '22P02', severity: 'ERROR' }))).toBe(
    '22P02: bad input',
  );
});

test("explained: Prisma's heading is left out", () => {
  const message =
    '\nInvalid `prisma.$executeRaw()` invocation:\n\n\nRaw query failed. Code: `22P02`. Message: `bad input`';
  expect(explainDatabaseError(Object.assign(new Error(message), { code: 'P2010' }))).toBe(
    'P2010: Raw query failed. Code: `22P02`. Message: `bad input`',
  );
});

test.each(['ECONNREFUSED', 'ENOTFOUND'])('explained: of %s the variable to check is named', (code) => {
  expect(explainDatabaseError(Object.assign(new Error('connect'), { code }))).toContain('DATABASE_URL');
});

test.each(['ENOENT', 'EMFILE', 'ECONNABORTED', 'EADDRNOTAVAIL'])(
  'database errors: a system call that failed with %s is transient',
  (code) => {
    const error = Object.assign(new Error(`connect ${code}`), { code, errno: -2, syscall: 'connect' });
    expect(classifyDatabaseError(error)).toEqual({ class: 'transient', code });
  },
);
