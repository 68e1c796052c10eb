import { expect, test } from 'vitest';
import { checkPostgres, checkPostgresConnection } from '../../../doctor/postgres/check-postgres.ts';
import type { PostgresServer } from '../../../doctor/postgres/postgres-facts.ts';
import { findingOf } from '../../support/finding-of.ts';

const sound: PostgresServer = {
  versionNumber: 180_004,
  version: '18.4',
  isInRecovery: false,
  isReadOnly: false,
  encoding: 'UTF8',
  schema: 'public',
  statementTimeoutMs: 2_500,
  maxConnections: 100,
  reservedConnections: 3,
  usedConnections: 10,
  workerConnections: 8,
};
const clock = { known: true, value: { askedAtMs: 0, answeredAtMs: 1, serverMs: 0 } } as const;
const passage = {
  known: true,
  value: { isPooled: false, keepsTransactions: true, saysPooled: false },
} as const;
const demand = { workers: 2, poolSize: 4, statementTimeoutMs: 30_000 };

function judge(server: Partial<PostgresServer>) {
  return checkPostgres(
    { server: { known: true, value: { ...sound, ...server } }, passage, clock, askedStatementTimeoutMs: 2_500 },
    demand,
  );
}

test('postgres: a server as it should be has nothing but ok', () => {
  expect(judge({}).filter(({ level }) => level !== 'ok')).toEqual([]);
});

const cases: [check: string, level: string, says: string, server: Partial<PostgresServer>][] = [
  ['version', 'failure', '13 or later', { versionNumber: 120_022, version: '12.22' }],
  ['version', 'warning', '14 or later', { versionNumber: 130_018, version: '13.18' }],
  ['version', 'ok', 'PostgreSQL 14.0', { versionNumber: 140_000, version: '14.0' }],
  ['writable', 'failure', 'DATABASE_URL to the primary', { isInRecovery: true, isReadOnly: true }],
  ['writable', 'failure', 'default_transaction_read_only', { isReadOnly: true }],
  ['encoding', 'failure', 'SQL_ASCII', { encoding: 'SQL_ASCII' }],
  ['schema', 'failure', 'create schema', { schema: null }],
  ['connections', 'ok', '10 of 97', {}],
  ['connections', 'warning', '89 of 97', { usedConnections: 89, workerConnections: 8 }],
  ['connections', 'ok', '0 of 12 in use', { maxConnections: 15, usedConnections: 0, workerConnections: 0 }],
  ['connections', 'ok', '2 workers and 1 maintenance process with 4 connections each need 12', {}],
  [
    'connections',
    'warning',
    'need 12, but of the 11',
    { maxConnections: 14, usedConnections: 0, workerConnections: 0 },
  ],
  ['connections', 'warning', 'others use 90', { usedConnections: 90, workerConnections: 0 }],
  ['connections', 'warning', '80 of 88 in use', { maxConnections: 91, usedConnections: 80, workerConnections: 80 }],
  ['statement timeout', 'warning', 'cancelled earlier', { statementTimeoutMs: 5_000 }],
  ['statement timeout', 'warning', 'none is in force', { statementTimeoutMs: 0 }],
  ['statement timeout', 'warning', 'alter role', { statementTimeoutMs: 60_000 }],
];

test.for(cases)('postgres: %s is a(n) %s that says "%s", given %o', ([check, level, says, server]) => {
  const finding = findingOf(judge(server), check);
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});

test('postgres: a server that gives no answer is a failure', () => {
  const findings = checkPostgres(
    { server: { known: false, code: 'timeout', why: 'no answer' }, passage, clock, askedStatementTimeoutMs: 1 },
    demand,
  );
  expect(findingOf(findings, 'server').level).toBe('failure');
});

test.for([
  ['ok', 'none', {}],
  ['ok', 'keeps transactions together', { isPooled: true, saysPooled: true }],
  ['warning', 'remove pgbouncer=true', { saysPooled: true }],
  ['failure', "set the pooler's pool_mode", { isPooled: true, keepsTransactions: false }],
] as const)('postgres: the way to the server is a(n) %s that says "%s", given %o', ([level, says, found]) => {
  const facts = {
    server: { known: true, value: sound },
    passage: { known: true, value: { ...passage.value, ...found } },
    clock,
    askedStatementTimeoutMs: 2_500,
  } as const;
  const finding = findingOf(checkPostgres(facts, demand), 'pooler');
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});

test('postgres: behind a pooler the connections of the fleet are not held against those of the server', () => {
  const facts = {
    server: { known: true, value: { ...sound, maxConnections: 14, usedConnections: 2, workerConnections: 2 } },
    passage: { known: true, value: { ...passage.value, isPooled: true } },
    clock,
    askedStatementTimeoutMs: 2_500,
  } as const;
  expect(findingOf(checkPostgres(facts, demand), 'connections').level).toBe('ok');
});

test.for([
  ['DatabaseNotReachable', 'start the server'],
  ['28P01', 'user and password'],
  ['3D000', 'create the database'],
  ['53300', 'max_connections'],
  ['timeout', 'hangs'],
  ['unknown', 'DATABASE_URL'],
])('postgres: a connection that ends with %s is a failure whose remedy says "%s"', ([code, says]) => {
  const finding = checkPostgresConnection({ known: false, code: code ?? '', why: 'reason' });
  expect(finding).toMatchObject({ check: 'connection', level: 'failure' });
  expect(finding.remedy).toContain(says);
});
