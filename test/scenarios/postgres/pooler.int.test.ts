import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { runChecks } from '../../../doctor/run-checks.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import {
  createDatabase,
  executeWithJson,
  queryWithJson,
  readPassage,
  withJsonTransaction,
} from '../../../shared/platform/postgres/database.ts';
import { explainDatabaseError } from '../../../shared/platform/postgres/explain-database-error.ts';
import { connect, createDirectory, createTestDatabase, until } from '../../support/fixtures.ts';
import { startPgBouncer } from '../../support/pgbouncer.ts';

async function aPooler(settings: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const admin = await connect(databaseUrl);
  await admin.query(`alter database "${new URL(databaseUrl).pathname.slice(1)}" set timezone = 'Europe/Berlin'`);
  const dir = join(await createDirectory(), 'pgbouncer');
  const pooler = await startPgBouncer(databaseUrl, { dir, settings });
  onTestFinished(pooler.stop);
  return { databaseUrl, url: pooler.url };
}

function open(url: string, limits: { lockTimeoutMs?: number } = {}, environment: Record<string, string> = {}) {
  const database = createDatabase(loadConfig({ DATABASE_URL: url, ...environment }).database, 'test', limits);
  onTestFinished(() => database.$disconnect());
  return database;
}

const readSettings = [
  `select current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('TimeZone'),
     current_setting('DateStyle'), now()::text ~ '\\+00$', `,
  '::text',
] as const;

test.each(['transaction', 'session', 'statement'])(
  'through PgBouncer in %s mode every statement has its settings, and leaves none behind',
  async (pool_mode) => {
    const { url } = await aPooler({ pool_mode, default_pool_size: '1' });
    const database = open(url, { lockTimeoutMs: 1_234 });
    const ours = ['1234ms', '30s', 'UTC', 'ISO, MDY', true, 'x'];
    expect(await queryWithJson(database, readSettings, 'x')).toEqual([ours]);
    const [raw] = await database.$queryRaw<object[]>`select current_setting('lock_timeout') as lock`;
    expect(raw).toEqual({ lock: '1234ms' });
    await database.$disconnect();
    // The pool has one session: this is the one that ours were in.
    const stranger = await connect(url);
    const { rows } = await stranger.query(
      `select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement,
         current_setting('TimeZone') as zone`,
    );
    expect(rows).toEqual([{ lock: '0', statement: '0', zone: 'Europe/Berlin' }]);
  },
);

test('through PgBouncer a transaction has its own limits, and its isolation', async () => {
  const database = open((await aPooler()).url, { lockTimeoutMs: 1_234 });
  const within = await withJsonTransaction(database, { lockTimeoutMs: 99, commits: true }, (transaction) =>
    queryWithJson(transaction, readSettings, 'x'),
  );
  expect(within).toEqual([['99ms', '30s', 'UTC', 'ISO, MDY', true, 'x']]);
  const [isolation] = await database.$transaction(
    (transaction) => transaction.$queryRaw<object[]>`
      select current_setting('transaction_isolation') as level, current_setting('lock_timeout') as lock`,
    { isolationLevel: 'RepeatableRead' },
  );
  expect(isolation).toEqual({ level: 'repeatable read', lock: '1234ms' });
});

test('through PgBouncer a statement waits no longer for a lock than it may, and takes no longer', async () => {
  const { databaseUrl, url } = await aPooler();
  const database = open(url, { lockTimeoutMs: 200 }, { SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '700' });
  const holder = await connect(databaseUrl);
  await holder.query('begin; lock table dead_letter in access exclusive mode');
  const outcome = executeWithJson(database, ['delete from sluice.dead_letter where payload = ', ''], 'x');
  await expect(outcome).rejects.toMatchObject({ code: '55P03' });
  await expect(
    queryWithJson(database, ['select 1 from pg_sleep(60) where ', '::text is not null'], 'x'),
  ).rejects.toMatchObject({ code: '57014' });
});

test('a statement without an answer in time takes its connection with it, in a transaction, too', async () => {
  const databaseUrl = await createTestDatabase();
  const database = open(
    databaseUrl,
    {},
    {
      SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '100',
      SLUICE_DATABASE_POOL_SIZE: '1',
      SLUICE_BATCH_MAX_IN_FLIGHT: '1',
    },
  );
  const pidOf = async () => (await database.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid;
  const before = await pidOf();
  // The server lets it go on, as one does that is frozen.
  const silent = database.$transaction(
    async (transaction) => {
      await transaction.$executeRaw`select set_config('statement_timeout', '0', true)`;
      await transaction.$queryRaw`select 1 as n from pg_sleep(60)`;
    },
    { timeout: 50_000 },
  );
  await expect(silent).rejects.toThrow(/read timeout/);
  expect(await pidOf()).not.toBe(before);
});

test.each([
  ['options=-c%20geqo%3Doff', '', 'ignore_startup_parameters in PgBouncer'],
  ['', '1', 'raise max_client_conn in PgBouncer'],
])('what PgBouncer refuses with %j and max_client_conn %j is told with its setting', async (query, most, says) => {
  const { url } = await aPooler(most === '' ? {} : { max_client_conn: most });
  if (most !== '') await connect(url);
  const other = query === '' ? url : `${url}?${query}`;
  const answer = await until(() =>
    open(other).$queryRaw`select 1`.then(
      () => null,
      (error: unknown) => explainDatabaseError(error),
    ),
  );
  expect(answer).toMatch(/^08P01: /);
  expect(answer).toContain(says);
  const { findings } = await runChecks(loadConfig({ DATABASE_URL: other, REDIS_URL: inject('redisUrl') }), {});
  const finding = findings.find(({ subject, check }) => subject === 'postgres' && check === 'connection');
  expect(finding).toMatchObject({ level: 'failure', remedy: expect.stringContaining(says) });
});

test('a database that PgBouncer does not know, and a wrong password, are told with its settings', async () => {
  const { databaseUrl, url } = await aPooler();
  const wrong = new URL(url);
  wrong.password = 'wrong';
  const refusal = await open(wrong.href).$queryRaw`select 1`.catch((error: unknown) => explainDatabaseError(error));
  expect(refusal).toContain('auth_file or auth_query in PgBouncer');
  const missing = new URL(url);
  missing.pathname = '/no_such_database';
  const unknown = await open(missing.href).$queryRaw`select 1`.catch((error: unknown) => explainDatabaseError(error));
  expect(unknown).toContain('correct its name in DATABASE_URL');
  expect(await readPassage(open(databaseUrl))).toEqual({ isPooled: false, keepsTransactions: true, saysPooled: false });
});

test('doctor: a pooler that keeps transactions together is fine, one in statement mode is not', async () => {
  const look = async (url: string) => {
    const { findings } = await runChecks(loadConfig({ DATABASE_URL: url, REDIS_URL: inject('redisUrl') }), {});
    return findings.find(({ subject, check }) => subject === 'postgres' && check === 'pooler');
  };
  expect(await look((await aPooler()).url)).toMatchObject({ level: 'ok' });
  const inStatementMode = await look((await aPooler({ pool_mode: 'statement' })).url);
  expect(inStatementMode).toMatchObject({ level: 'failure', remedy: expect.stringContaining('pool_mode') });
});
