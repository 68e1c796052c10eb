import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { migrate } from '../../prisma/migrate.ts';
import { readMigrations, toMigration } from '../../prisma/migration-files.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { connect, createEmptyDatabase, createTestDatabase, until } from '../support/fixtures.ts';
import { startProxyTo } from '../support/proxies.ts';

const table = 'strategy_execution_log';
const known = await readMigrations();
const names = known.map(({ name }) => name);
const configOf = (url: string) => loadConfig({ DATABASE_URL: url }).database;

const next = (sql: string) => toMigration('99990101000000_next', sql);
const wide = next(`-- locks: access exclusive on ${table}\nalter table ${table} add column wide text;`);
const slow = next('-- locks: none\ncreate table slow (id int);\nselect pg_sleep(2);');

/** Inserts rows one after the other until it is told to stop, and says how long the slowest took. */
function insertBeside(databaseUrl: string) {
  let isStopped = false;
  const inserting = (async () => {
    const client = await connect(databaseUrl);
    let slowestMs = 0;
    let rows = 0;
    while (!isStopped) {
      const begunAt = performance.now();
      await client.query(
        `insert into ${table} (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
         values (gen_random_uuid(), now(), 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1)`,
      );
      rows += 1;
      slowestMs = Math.max(slowestMs, performance.now() - begunAt);
    }
    return { slowestMs, rows };
  })();
  return {
    stop: () => {
      isStopped = true;
      return inserting;
    },
  };
}

/** The backend that applies a migration, as soon as it runs a statement like this. */
function runningMigration(client: Awaited<ReturnType<typeof connect>>, statement: string): Promise<number> {
  return until(async () => {
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'sluice migrate' and state = 'active' and query like $1`,
      [`%${statement}%`],
    );
    return rows[0]?.pid;
  });
}

test('migrate: behind a reader that does not end, inserts go on, the reader is named, and it applies when the reader has ended', async () => {
  const databaseUrl = await createTestDatabase();
  const reader = await connect(databaseUrl);
  await reader.query(`set application_name = 'long report'; begin; select count(*) from ${table}`);
  const beside = insertBeside(databaseUrl);
  const said: string[] = [];
  const migrating = migrate(configOf(databaseUrl), { migrations: [...known, wide], say: (line) => said.push(line) });
  // Two tries at least, since it is told of once in five seconds.
  await until(() => said.length >= 2);
  await reader.query('commit');
  expect(await migrating).toEqual([wide.name]);
  const { slowestMs, rows } = await beside.stop();
  // Bounded by the wait for the lock, 3 s, whatever the reader does.
  expect(slowestMs).toBeLessThan(5_000);
  expect(rows).toBeGreaterThan(0);
  expect(said[0]).toMatch(
    /99990101000000_next is waiting for a lock held by process \d+ \(long report, in a transaction for \d+ s\)/,
  );
});

test('migrate: a lock on its books is waited for from the first look on, its holder is named, and the wait has an end', async () => {
  const databaseUrl = await createTestDatabase();
  const holder = await connect(databaseUrl);
  await holder.query("set application_name = 'a repack'; begin; lock table sluice_migration in access exclusive mode");
  await expect(migrate(configOf(databaseUrl), { timeoutMs: 2_000 })).rejects.toThrow(
    /^the look at what is applied did not acquire its lock within 2 s and was not applied: last held by process \d+ \(a repack/,
  );
  const said: string[] = [];
  const migrating = migrate(configOf(databaseUrl), { say: (line) => said.push(line) });
  await until(() => said.length >= 2);
  await holder.query('commit');
  expect(await migrating).toEqual([]);
  expect(said[0]).toMatch(/^the look at what is applied is waiting for a lock held by process \d+ \(a repack/);
});

test('migrate: the wait for all partitions together is bounded, not that for each', async () => {
  const databaseUrl = await createTestDatabase();
  const owner = await connect(databaseUrl);
  const readers = await Promise.all([0, 1, 2].map(() => connect(databaseUrl)));
  for (const [day, reader] of readers.entries()) {
    await owner.query(
      `create table ${table}_p${day} partition of ${table} for values from ('2030-01-0${day + 1}Z') to ('2030-01-0${day + 2}Z')`,
    );
    await reader.query(`begin; select from ${table}_p${day}`);
  }
  const beside = insertBeside(databaseUrl);
  const migrating = migrate(configOf(databaseUrl), { migrations: [...known, wide] });
  // One after the other lets it get on by one partition: each of them alone would be had in time.
  for (const reader of readers) {
    await runningMigration(owner, 'lock table');
    await sleep(2_000);
    await reader.query('commit');
  }
  expect(await migrating).toEqual([wide.name]);
  expect((await beside.stop()).slowestMs).toBeLessThan(5_000);
});

test('migrate: it gives up in the end, says who was in its way, and leaves nothing behind', async () => {
  const databaseUrl = await createTestDatabase();
  const reader = await connect(databaseUrl);
  await reader.query(`begin; lock table ${table} in access share mode`);
  await expect(migrate(configOf(databaseUrl), { migrations: [...known, wide], timeoutMs: 4_000 })).rejects.toThrow(
    /did not acquire its lock within 4 s and was not applied: last held by process \d+ /,
  );
  await reader.query('commit');
  const { rows } = await reader.query(
    "select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
  );
  expect(rows).toEqual([]);
  expect(await migrate(configOf(databaseUrl), { migrations: [...known, wide] })).toEqual([wide.name]);
});

test('migrate: a server that ends idle sessions, or idle transactions, soon is no matter', async () => {
  const databaseUrl = await createEmptyDatabase();
  const client = await connect(databaseUrl);
  await client.query(`do $$ begin
    execute format('alter database %I set idle_session_timeout = 1000', current_database());
    execute format('alter database %I set idle_in_transaction_session_timeout = 1000', current_database()); end $$`);
  const outside = next('-- sluice: outside a transaction\n-- locks: none\nselect pg_sleep(3);');
  expect(await migrate(configOf(databaseUrl), { migrations: [...known, outside] })).toEqual([...names, outside.name]);
  expect(await migrate(configOf(databaseUrl), { migrations: [...known, outside] })).toEqual([]);
});

test('migrate: whatever the database has set for its sessions changes nothing', async () => {
  const databaseUrl = await createEmptyDatabase();
  const client = await connect(databaseUrl);
  await client.query(`create schema elsewhere; do $$ begin
    execute format('alter database %I set search_path = elsewhere', current_database());
    execute format('alter database %I set statement_timeout = 300', current_database());
    execute format('alter database %I set default_transaction_isolation = serializable', current_database());
    execute format('alter database %I set transaction_timeout = 300', current_database()); end $$`);
  expect(await migrate(configOf(databaseUrl), { migrations: [...known, slow] })).toEqual([...names, slow.name]);
  const { rows } = await client.query(
    "select distinct schemaname from pg_tables where tablename in ('request', 'slow')",
  );
  expect(rows).toEqual([{ schemaname: 'public' }]);
});

test('migrate: a connection that is ended in the middle costs nothing but a second try', async () => {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const said: string[] = [];
  const migrating = migrate(configOf(databaseUrl), { migrations: [...known, slow], say: (line) => said.push(line) });
  await client.query('select pg_terminate_backend($1)', [await runningMigration(client, 'pg_sleep')]);
  expect(await migrating).toEqual([slow.name]);
  expect(said[0]).toContain('lost the connection');
});

test('migrate: a commit whose answer is lost counts as what it was', async () => {
  const databaseUrl = await createTestDatabase();
  const { proxy, url } = await startProxyTo(databaseUrl);
  const migrating = migrate(configOf(url), { migrations: [...known, wide] });
  // Others commit, too: the look at the books, and the preparation.
  let isApplied = false;
  await proxy.loseReply((bytes) => {
    isApplied ||= bytes.includes('add column wide');
    return isApplied && bytes.includes('commit\0');
  });
  expect(await migrating).toEqual([wide.name]);
  const client = await connect(databaseUrl);
  const { rows } = await client.query(
    'select finished_at is not null as finished from sluice_migration where name = $1',
    [wide.name],
  );
  expect(rows).toEqual([{ finished: true }]);
});

test('migrate: one that the server refuses is taken back whole, is told in one line, and goes on when it is mended', async () => {
  const databaseUrl = await createTestDatabase();
  const bad = next('-- locks: none\ncreate table first_half (id int);\ncreate table first_half (id int);');
  await expect(migrate(configOf(databaseUrl), { migrations: [...known, bad] })).rejects.toThrow(
    /^the migration 99990101000000_next failed; it was rolled back. PostgreSQL: 42P07: [^\n]*$/,
  );
  const client = await connect(databaseUrl);
  expect((await client.query("select from pg_tables where tablename = 'first_half'")).rowCount).toBe(0);
  const mended = next('-- locks: none\ncreate table first_half (id int);');
  expect(await migrate(configOf(databaseUrl), { migrations: [...known, mended] })).toEqual([mended.name]);
});

test('migrate: an index is made beside inserts outside of a transaction, once by two processes, and again when it was cut off', async () => {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const index = next(`-- sluice: outside a transaction
-- locks: share update exclusive on request
drop index concurrently if exists sluice.new_idx;
create index concurrently new_idx on sluice.request (daemon_id);`);
  const options = { migrations: [...known, index] };
  const writer = await connect(databaseUrl);
  await writer.query('begin; lock table request in row exclusive mode');
  const both = [migrate(configOf(databaseUrl), options), migrate(configOf(databaseUrl), options)];
  await client.query('select pg_terminate_backend($1)', [await runningMigration(client, 'create index')]);
  // The next attempt has to drop what is left of the index, and makes it anew.
  await runningMigration(client, 'index concurrently');
  await writer.query('commit');
  expect((await Promise.all(both)).flat()).toEqual([index.name]);
  const { rows } = await client.query("select indisvalid from pg_index where indexrelid = 'new_idx'::regclass");
  expect(rows).toEqual([{ indisvalid: true }]);
});
