import { randomBytes } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrate, readMigrationStatus } from '../../prisma/migrate.ts';
import { readMigrations } from '../../prisma/migration-files.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { quoteIdentifier } from '../../shared/platform/postgres/schema.ts';
import { connect, createEmptyDatabase } from '../support/fixtures.ts';
import { startSluice } from '../support/fleet.ts';
import { makePrismaBooks } from '../support/prisma-books.ts';

const names = (await readMigrations()).map(({ name }) => name);
const configOf = (url: string) => loadConfig({ DATABASE_URL: url }).database;

/** A URL with a schema in it. */
function withSchema(databaseUrl: string, schema: string): string {
  return `${databaseUrl}?schema=${encodeURIComponent(schema)}`;
}

async function schemasWithRequests(databaseUrl: string): Promise<string[]> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query("select schemaname from pg_tables where tablename = 'request' order by 1");
  return rows.map(({ schemaname }) => schemaname);
}

test.each(['my-schema', 'Sluice', 'sluice', 'two words', '50%'])(
  'migrate: the schema %j is made when it is missing, and no other one',
  async (schema) => {
    const databaseUrl = await createEmptyDatabase();
    expect(await migrate(configOf(withSchema(databaseUrl, schema)))).toEqual(names);
    expect(await schemasWithRequests(databaseUrl)).toEqual([schema]);
    expect(await migrate(configOf(withSchema(databaseUrl, schema)))).toEqual([]);
  },
);

test('migrate: the partitions are made in the schema, too', async () => {
  const databaseUrl = await createEmptyDatabase();
  const { ended, stdout } = await startSluice(['migrate', '--json'], {
    DATABASE_URL: withSchema(databaseUrl, 'my-schema'),
  });
  expect(await ended).toBe(0);
  const client = await connect(databaseUrl);
  const { rows } = await client.query(
    'select relname from pg_class where relnamespace = \'"my-schema"\'::regnamespace',
  );
  expect(rows.map(({ relname }) => relname)).toEqual(
    expect.arrayContaining(JSON.parse(stdout.at(-1) ?? '').partitionsCreated),
  );
  expect(JSON.parse(stdout.at(-1) ?? '').partitionsCreated).toHaveLength(9);
});

test('migrate: two schemas of one database have Sluice each, also at the same time', async () => {
  const databaseUrl = await createEmptyDatabase();
  const schemas = ['one', 'public', 'Two'];
  const applied = await Promise.all(schemas.map((schema) => migrate(configOf(withSchema(databaseUrl, schema)))));
  expect(applied).toEqual([names, names, names]);
  expect(await schemasWithRequests(databaseUrl)).toEqual(['Two', 'one', 'public']);
});

test('migrate: a role that may not make the schema is told the SQL in one line, and that SQL suffices', async () => {
  const databaseUrl = await createEmptyDatabase();
  const admin = await connect(databaseUrl);
  const role = `${inject('runName')}_${randomBytes(4).toString('hex')}`;
  await admin.query(`create role "${role}" login password 'migrator-password'`);
  onTestFinished(async () => {
    const client = await connect(databaseUrl);
    await client.query(`drop owned by "${role}" cascade`);
    await client.query(`drop role "${role}"`);
    await client.end();
  });
  const url = new URL(withSchema(databaseUrl, 'my-schema'));
  url.username = role;
  url.password = 'migrator-password';
  const { ended, stderr } = await startSluice(['migrate'], { DATABASE_URL: url.href });
  expect(await ended).toBe(1);
  expect(stderr).toHaveLength(1);
  const sql = /run: (create schema .*;)$/.exec(stderr[0] ?? '')?.[1] ?? '';
  expect(sql).toContain(quoteIdentifier('my-schema'));
  await admin.query(sql);
  expect(await migrate(configOf(url.href))).toEqual(names);
});

test.each(['public', 'theirs'])(
  'migrate: another Prisma application with books of its own in %j, and other tables, are left alone',
  async (schema) => {
    const databaseUrl = await createEmptyDatabase();
    const client = await connect(databaseUrl);
    await client.query(`create schema if not exists ${schema}`);
    await makePrismaBooks(client, schema, [{ name: '20200101000000_theirs', checksum: 'x', state: 'failed' }]);
    await client.query(
      `create table ${schema}.customer (id int primary key); insert into ${schema}.customer values (1)`,
    );
    const before = (await client.query(`select * from ${schema}._prisma_migrations`)).rows;
    const config = configOf(databaseUrl);
    expect(await migrate(config)).toEqual(names);
    expect((await readMigrationStatus(config)).filter(({ state }) => state !== 'applied')).toEqual([]);
    expect((await client.query(`select * from ${schema}._prisma_migrations`)).rows).toEqual(before);
    expect((await client.query(`select id from ${schema}.customer`)).rows).toEqual([{ id: 1 }]);
  },
);

test('migrate: a table of somebody else with the name of one of ours is named, and nothing is changed', async () => {
  const databaseUrl = await createEmptyDatabase();
  const client = await connect(databaseUrl);
  await client.query('create table request (id int)');
  const { ended, stderr } = await startSluice(['migrate'], { DATABASE_URL: databaseUrl });
  expect(await ended).toBe(1);
  expect(stderr).toHaveLength(1);
  expect(stderr[0]).toMatch(/"public" has request already.*\?schema=/);
  const { rows } = await client.query("select relname from pg_class where relnamespace = 'public'::regnamespace");
  expect(rows).toEqual([{ relname: 'request' }]);
  expect(await migrate(configOf(withSchema(databaseUrl, 'sluice')))).toEqual(names);
});

test('migrate: SLUICE_MIGRATE_DATABASE_URL is what it connects to', async () => {
  const databaseUrl = await createEmptyDatabase();
  const nowhere = 'postgresql://user:secret-word@127.0.0.1:1/nowhere';
  const { ended, stdout } = await startSluice(['migrate', '--json'], {
    DATABASE_URL: nowhere,
    SLUICE_MIGRATE_DATABASE_URL: databaseUrl,
  });
  expect(await ended).toBe(0);
  expect(JSON.parse(stdout.at(-1) ?? '').applied).toEqual(names);
});

test('migrate: a SLUICE_MIGRATE_DATABASE_URL that means another schema is refused', async () => {
  const databaseUrl = await createEmptyDatabase();
  const { ended, stderr } = await startSluice(['migrate'], {
    DATABASE_URL: withSchema(databaseUrl, 'one'),
    SLUICE_MIGRATE_DATABASE_URL: withSchema(databaseUrl, 'other'),
  });
  expect(await ended).toBe(2);
  expect(stderr.join('\n')).toContain('its schema differs from that of DATABASE_URL');
  expect(await schemasWithRequests(databaseUrl)).toEqual([]);
});
