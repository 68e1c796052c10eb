import { expect, onTestFinished, test } from 'vitest';
import { missingFromMigrations } from '../../dev/migrations/missing-from-migrations.ts';
import { readMigrations } from '../../prisma/migration-files.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { ensurePartitions, planPartitions } from '../../shared/platform/postgres/partitions/partitions.ts';
import { connect, createEmptyDatabase, createTestDatabase } from '../support/fixtures.ts';
import { startSluice } from '../support/fleet.ts';

const table = 'strategy_execution_log';

test('migrate: ten processes at once apply each migration once and make each partition once', async () => {
  const databaseUrl = await createEmptyDatabase();
  const processes = await Promise.all(
    Array.from({ length: 10 }, () => startSluice(['migrate', '--json'], { DATABASE_URL: databaseUrl })),
  );
  expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual(Array(10).fill(0));
  const results = processes.map(({ stdout }) => JSON.parse(stdout.at(-1) ?? ''));
  const names = (await readMigrations()).map(({ name }) => name);
  expect(results.flatMap(({ applied }) => applied).sort()).toEqual(names);
  expect(results.flatMap(({ partitionsCreated }) => partitionsCreated)).toHaveLength(9);

  const client = await connect(databaseUrl);
  const books = await client.query('select name, finished_at is not null as finished from sluice_migration order by 1');
  expect(books.rows).toEqual(names.map((name) => ({ name, finished: true })));
});

test('migrate: the migrations make what schema.prisma says', async () => {
  expect(await missingFromMigrations(await createEmptyDatabase())).toBe('');
});

test('partitions: yesterday to a week ahead, and a row of each day is stored in its own', async () => {
  const { database: config } = loadConfig({ DATABASE_URL: await createTestDatabase() });
  const database = createDatabase(config, 'test');
  onTestFinished(() => database.$disconnect());
  const now = Date.UTC(2026, 1, 27, 23, 59, 59);
  const plan = planPartitions(table, now, 7);
  expect((await ensurePartitions(database, table, plan)).created).toHaveLength(9);
  expect(await ensurePartitions(database, table, plan)).toEqual({ created: [], blocked: [], postponed: [] });

  const client = await connect(config.url ?? '');
  for (const { from } of plan) await insertRow(client, from);
  await insertRow(client, '2020-01-01T00:00:00Z');
  const { rows } = await client.query(
    'select tableoid::regclass::text as part, count(*)::int as n from strategy_execution_log group by 1 order by 1',
  );
  expect(rows).toEqual([...plan.map(({ name }) => ({ part: name, n: 1 })), { part: `${table}_default`, n: 1 }]);
});

test('partitions: a day that has rows in the DEFAULT partition is reported, and the others are made', async () => {
  const { database: config } = loadConfig({ DATABASE_URL: await createTestDatabase() });
  const database = createDatabase(config, 'test');
  onTestFinished(() => database.$disconnect());
  const client = await connect(config.url ?? '');
  const plan = planPartitions(table, Date.UTC(2026, 5, 10), 2);
  await insertRow(client, '2026-06-11T12:00:00Z');
  const report = await ensurePartitions(database, table, plan);
  expect(report.blocked).toEqual([`${table}_20260611`]);
  expect(report.created).toHaveLength(plan.length - 1);
});

async function insertRow(client: Awaited<ReturnType<typeof connect>>, recordedAt: string): Promise<void> {
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     values (gen_random_uuid(), $1, 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1)`,
    [recordedAt],
  );
}
