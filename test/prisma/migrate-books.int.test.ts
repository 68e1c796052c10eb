import { expect, test } from 'vitest';
import { migrate, readMigrationStatus } from '../../prisma/migrate.ts';
import { readMigrations } from '../../prisma/migration-files.ts';
import { namesIn } from '../../prisma/migration-status.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { connect, createEmptyDatabase, createTestDatabase } from '../support/fixtures.ts';
import { startSluice } from '../support/fleet.ts';
import { makePrismaBooks, type PrismaLine } from '../support/prisma-books.ts';

const known = await readMigrations();
const names = known.map(({ name }) => name);
/** Prisma sent each file as it is, so it never had one that refuses a transaction. */
const ofPrisma = known.filter(({ inTransaction }) => inTransaction);
const last = ofPrisma.at(-1)?.name ?? '';
const neverOfPrisma = names.filter((name) => !ofPrisma.some((migration) => migration.name === name));
const configOf = (url: string) => loadConfig({ DATABASE_URL: url }).database;

/** A database as an earlier build left it: the first so many migrations, in Prisma's books. */
async function migratedByPrisma(count: number, more: PrismaLine[] = []) {
  const databaseUrl = await createEmptyDatabase();
  const client = await connect(databaseUrl);
  for (const { sql } of ofPrisma.slice(0, count)) await client.query(sql);
  const lines = ofPrisma.slice(0, count).map(({ name, checksum }) => ({ name, checksum, state: 'applied' as const }));
  await makePrismaBooks(client, 'public', [...lines, ...more]);
  return { databaseUrl, client, config: configOf(databaseUrl) };
}

async function run(databaseUrl: string, ...args: string[]) {
  const { ended, stdout, stderr } = await startSluice(['migrate', ...args], { DATABASE_URL: databaseUrl });
  return { exitCode: await ended, stdout, stderr };
}

test("books: what earlier builds noted in Prisma's is taken over once, foreign lines are not, and Prisma's stay as they are", async () => {
  const foreign = { name: '20250101000000_theirs', checksum: 'x', state: 'applied' as const };
  const { client, config } = await migratedByPrisma(7, [foreign]);
  const oldBooks = async () => (await client.query('select * from _prisma_migrations order by id')).rows;
  const before = await oldBooks();
  expect(namesIn(await readMigrationStatus(config), 'pending')).toEqual(names.slice(7));
  expect(await migrate(config)).toEqual(names.slice(7));
  expect(await oldBooks()).toEqual(before);
  const { rows } = await client.query('select name, checksum from sluice_migration order by name');
  expect(rows).toEqual(known.map(({ name, checksum }) => ({ name, checksum })));
  await client.query('update _prisma_migrations set finished_at = null where migration_name = $1', [names[0]]);
  expect(await migrate(config)).toEqual([]);
});

test.each([
  ['--applied', neverOfPrisma],
  ['--rolled-back', [last, ...neverOfPrisma]],
] as const)(
  'books: a migration that failed under Prisma stops all, until it is resolved with %s',
  async (how, pending) => {
    const done = how === '--applied' ? ofPrisma.length : ofPrisma.length - 1;
    const { databaseUrl, client, config } = await migratedByPrisma(done);
    await client.query('delete from _prisma_migrations where migration_name = $1', [last]);
    await client.query("insert into _prisma_migrations (id, checksum, migration_name) values ('failed', 'x', $1)", [
      last,
    ]);
    const refused = await run(databaseUrl);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toHaveLength(1);
    expect(refused.stderr[0]).toContain(`started but not finished: ${last}`);
    const status = await run(databaseUrl, 'status');
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toContain(`failed   ${last}`);
    expect(await run(databaseUrl, 'resolve', how, last)).toMatchObject({ exitCode: 0, stderr: [] });
    expect((await run(databaseUrl, 'status')).exitCode).toBe(pending.length === 0 ? 0 : 1);
    expect(await migrate(config)).toEqual(pending.toSorted());
    expect((await run(databaseUrl, 'status', '--json')).exitCode).toBe(0);
  },
);

test('books: status tells of what is pending, changed and unknown, and only what is pending or failed is exit code 1', async () => {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  await client.query(`update sluice_migration set checksum = 'x' where name = $1`, [names[0]]);
  await client.query(
    `insert into sluice_migration (name, checksum, finished_at) values ('99990101000000_newer', 'x', now())`,
  );
  const { exitCode, stdout } = await run(databaseUrl, 'status', '--json');
  expect(exitCode).toBe(0);
  const states = (JSON.parse(stdout[0] ?? '') as { name: string; state: string }[]).filter(
    ({ state }) => state !== 'applied',
  );
  expect(states).toEqual([
    { name: names[0], state: 'changed' },
    { name: '99990101000000_newer', state: 'unknown' },
  ]);
  // What a newer build has begun is its own matter.
  await client.query("update sluice_migration set finished_at = null where name = '99990101000000_newer'");
  expect(await migrate(configOf(databaseUrl))).toEqual([]);
  await client.query('delete from sluice_migration where name = $1', [last]);
  expect((await run(databaseUrl, 'status')).stdout).toContain(`pending  ${last}`);
});

test.each([
  [['resolve'], 2],
  [['resolve', '--applied', 'a', '--rolled-back', 'a'], 2],
  [['resolve', '--applied', 'no_such_migration'], 1],
  [['resolve', '--applied', last], 1],
  [['resolve', '--rolled-back', last], 1],
  [['no-such-subcommand'], 2],
  [['--timeout', '0'], 2],
  [['--timeout', '1'], 0],
])('books: migrate %j on a database that has it all ends with %i and changes nothing', async (args, code) => {
  const databaseUrl = await createTestDatabase();
  expect((await run(databaseUrl, ...args)).exitCode).toBe(code);
  expect(namesIn(await readMigrationStatus(configOf(databaseUrl)), 'applied')).toEqual(names);
});
