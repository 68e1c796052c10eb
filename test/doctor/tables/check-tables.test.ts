import { expect, test } from 'vitest';
import type { DeadLetterGroup } from '../../../dead-letters/read.ts';
import type { Answer } from '../../../doctor/answer.ts';
import { checkTables } from '../../../doctor/tables/check-tables.ts';
import type { TablesFacts } from '../../../doctor/tables/tables-facts.ts';
import type { BookLine } from '../../../prisma/migration-books.ts';
import { planPartitions } from '../../../shared/platform/postgres/partitions/partitions.ts';
import { findingOf } from '../../support/finding-of.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
/** Yesterday, today, and seven days ahead. */
const days = planPartitions('strategy_execution_log', nowMs, 7);
const known = ['1_one', '2_two'].map((name) => ({ name, checksum: `sum of ${name}` }));

const applied = (name: string, state: Partial<BookLine> = {}): BookLine => ({
  name,
  checksum: `sum of ${name}`,
  finished: true,
  rolledBack: false,
  ...state,
});
const both = known.map(({ name }) => applied(name));

const deadLetters = (count: number, signature: string): DeadLetterGroup => ({
  queue: 'execution-log',
  code: '22P05',
  signature,
  state: 'open',
  deadLetters: count,
  firstSeen: new Date(0),
  lastSeen: new Date(0),
  exampleId: 'id',
  exampleReason: 'a reason that quotes a row',
});

const compressed = (server: { hasLz4: boolean; serverDefault: string }, ...methods: (string | null)[]) => ({
  compression: { ...server, columns: methods.map((method, n) => ({ table: 'request', column: `c${n}`, method })) },
});
const withLz4 = { hasLz4: true, serverDefault: 'pglz' };

type Known<A> = A extends Answer<infer V> ? V : never;

function judge(facts: { [K in keyof TablesFacts]?: Known<TablesFacts[K]> }) {
  const seen = {
    migrations: both,
    rights: { mayWrite: true, mayPurge: true, mayPartition: true },
    missingDays: [],
    strayRows: 0,
    locks: { waiting: 0, oldestTransactionSeconds: null },
    lockTable: { maxLocksPerTransaction: 64, holders: 100, partitions: 100, relations: 600 },
    ...compressed(withLz4, 'lz4'),
    unreadRequests: 0,
    deadLetters: [],
    ...facts,
  };
  const answers = Object.fromEntries(Object.entries(seen).map(([name, value]) => [name, { known: true, value }]));
  return checkTables(answers as unknown as TablesFacts, { migrations: known, days, nowMs });
}

test('tables: as they should be, they have nothing but ok', () => {
  expect(judge({}).map(({ level }) => level)).toEqual(Array(9).fill('ok'));
});

const cases: [check: string, level: string, says: string, facts: Parameters<typeof judge>[0]][] = [
  ['migrations', 'failure', '0 applied, missing: 1_one, 2_two -> run sluice migrate', { migrations: [] }],
  ['migrations', 'failure', '1 applied, missing: 2_two', { migrations: [applied('1_one')] }],
  [
    'migrations',
    'failure',
    'not finished: 2_two',
    { migrations: [applied('1_one'), applied('2_two', { finished: false })] },
  ],
  ['migrations', 'ok', 'all 2', { migrations: [applied('2_two', { finished: false, rolledBack: true }), ...both] }],
  [
    'migrations',
    'failure',
    'missing: 2_two',
    { migrations: [applied('1_one'), applied('2_two', { rolledBack: true })] },
  ],
  ['migrations', 'warning', 'newer than this build: 3_three', { migrations: [...both, applied('3_three')] }],
  ['migrations', 'warning', 'changed', { migrations: [applied('1_one', { checksum: 'x' }), applied('2_two')] }],
  ['rights', 'failure', 'grant', { rights: { mayWrite: false, mayPurge: false, mayPartition: false } }],
  ['rights', 'warning', 'not create partitions', { rights: { mayWrite: true, mayPurge: true, mayPartition: false } }],
  ['rights', 'warning', 'not delete', { rights: { mayWrite: true, mayPurge: false, mayPartition: true } }],
  ['rights', 'warning', 'partitions, nor delete', { rights: { mayWrite: true, mayPurge: false, mayPartition: false } }],
  ['partitions', 'ok', '7 days ahead', { missingDays: days.slice(0, 1) }],
  ['partitions', 'failure', "today's is missing: strategy_execution_log_20261122", { missingDays: days.slice(1, 2) }],
  ['partitions', 'failure', "today's", { missingDays: days }],
  [
    'partitions',
    'warning',
    '6 of 7 days ahead; missing: strategy_execution_log_20261129',
    { missingDays: days.slice(-1) },
  ],
  ['partitions', 'warning', '20261125 and 4 more', { missingDays: days.slice(2) }],
  [
    'lock table',
    'warning',
    'set max_locks_per_transaction = 384',
    { lockTable: { maxLocksPerTransaction: 64, holders: 100, partitions: 1_400, relations: 8_400 } },
  ],
  ['compression', 'ok', 'lz4 -> null', compressed(withLz4, 'lz4', 'lz4')],
  ['compression', 'ok', 'lz4, pglz', compressed(withLz4, 'pglz', 'lz4')],
  ['compression', 'ok', 'lz4', compressed({ hasLz4: true, serverDefault: 'lz4' }, null)],
  ['compression', 'ok', 'built without lz4', compressed({ hasLz4: false, serverDefault: 'pglz' }, null)],
  [
    'compression',
    'warning',
    'pglz compresses request.c1, which costs inserts more CPU: they were made on a server without lz4 -> as the owner of the tables: alter table request alter c1 set compression lz4',
    compressed(withLz4, 'lz4', null),
  ],
  ['default partition', 'warning', '1 rows', { strayRows: 1 }],
  ['default partition', 'warning', '1000 or more', { strayRows: 1_000 }],
  ['default partition', 'warning', 'maintenance does not run', { strayRows: 5 }],
  ['default partition', 'warning', 'run sluice maintain partitions', { strayRows: 5 }],
  ['facts of requests', 'ok', '999 bodies not read yet', { unreadRequests: 999 }],
  ['facts of requests', 'warning', '1000 or more requests', { unreadRequests: 1_000 }],
  ['locks', 'warning', '2 sessions', { locks: { waiting: 2, oldestTransactionSeconds: 900 } }],
  ['locks', 'warning', '301 s', { locks: { waiting: 0, oldestTransactionSeconds: 301 } }],
  ['locks', 'ok', 'nobody', { locks: { waiting: 0, oldestTransactionSeconds: 300 } }],
  [
    'open',
    'warning',
    '3 of execution-log: 22P05 a; 1 of execution-log: b ->',
    { deadLetters: [deadLetters(3, '22P05 a'), deadLetters(1, 'b')] },
  ],
  ['open', 'warning', 's4; and others', { deadLetters: [0, 1, 2, 3, 4, 5].map((n) => deadLetters(1, `s${n}`)) }],
];

test.for(cases)('tables: %s is a(n) %s that says "%s"', ([check, level, says, facts]) => {
  const finding = findingOf(judge(facts), check);
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});

test('tables: those that are not there are told once, as missing migrations', () => {
  const findings = judge({
    migrations: [],
    rights: null,
    missingDays: null,
    strayRows: null,
    lockTable: null,
    compression: null,
    unreadRequests: null,
    deadLetters: null,
  });
  expect(findings.map(({ check }) => check)).toEqual(['migrations', 'locks']);
});

test('tables: what could not be looked at is a warning each', () => {
  const none = { known: false, code: '57014', why: 'canceling statement due to statement timeout' } as const;
  const facts = {
    migrations: none,
    rights: none,
    missingDays: none,
    strayRows: none,
    locks: none,
    lockTable: none,
    compression: none,
    unreadRequests: none,
    deadLetters: none,
  };
  const findings = checkTables(facts, { migrations: known, days, nowMs });
  expect(findings.map(({ level }) => level)).toEqual(Array(9).fill('warning'));
});
