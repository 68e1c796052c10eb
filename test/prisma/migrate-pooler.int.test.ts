import { expect, test } from 'vitest';
import { migrate, readMigrationStatus } from '../../prisma/migrate.ts';
import { readMigrations, toMigration } from '../../prisma/migration-files.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { connect, createEmptyDatabase } from '../support/fixtures.ts';
import { startTransactionPooler } from '../support/transaction-pooler.ts';

const known = await readMigrations();

/** One of each kind: within a transaction, and outside of one. */
const migrations = [
  ...known,
  toMigration(
    '99990101000000_next',
    `-- sluice: outside a transaction
     -- locks: share update exclusive on request
     drop index concurrently if exists sluice.new_idx;
     create index concurrently new_idx on sluice.request (daemon_id);`,
  ),
];
const names = migrations.map(({ name }) => name);

test.each(['', 'my-schema'])(
  'pooler: ten processes at once migrate the schema %j through PgBouncer in transaction mode, and leave no lock and no setting behind',
  async (schema) => {
    const databaseUrl = await createEmptyDatabase();
    const url = new URL(await startTransactionPooler(databaseUrl));
    if (schema !== '') url.searchParams.set('schema', schema);
    const { database } = loadConfig({ DATABASE_URL: url.href });
    const applied = await Promise.all(Array.from({ length: 10 }, () => migrate(database, { migrations })));
    expect(applied.flat().sort()).toEqual(names);
    expect((await readMigrationStatus(database)).filter(({ state }) => state === 'pending')).toEqual([]);

    const onlooker = await connect(databaseUrl);
    const { rows: locks } = await onlooker.query(
      "select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );
    expect(locks).toEqual([]);
    const { rows: schemas } = await onlooker.query("select schemaname from pg_tables where tablename = 'request'");
    expect(schemas).toEqual([{ schemaname: schema || 'public' }]);
    const next = await connect(url.href.split('?')[0] ?? '');
    for (const setting of ['search_path', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout']) {
      const ask = `select current_setting('${setting}') as value`;
      expect((await next.query(ask)).rows).toEqual((await onlooker.query(ask)).rows);
    }
  },
);

test('pooler: a reader in the way is waited for through PgBouncer, with an end, and is named', async () => {
  const databaseUrl = await createEmptyDatabase();
  const { database } = loadConfig({ DATABASE_URL: await startTransactionPooler(databaseUrl) });
  await migrate(database, { migrations: known });
  const reader = await connect(databaseUrl);
  await reader.query("set application_name = 'long report'; begin; select count(*) from request");
  const wide = toMigration(
    '99990101000000_next',
    '-- locks: access exclusive on request\nalter table request add column wide text;',
  );
  const waiting = migrate(database, { migrations: [...known, wide], timeoutMs: 4_000 });
  await expect(waiting).rejects.toThrow(/last held by process \d+ \(long report, in a transaction for \d+ s\)/);
  await reader.query('commit');
  expect(await migrate(database, { migrations: [...known, wide] })).toEqual([wide.name]);
});
