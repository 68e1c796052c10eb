import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startPostgres } from '../../dev/servers/postgres.ts';
import { connectToPostgres } from '../../doctor/postgres/postgres-facts.ts';
import { checkTables } from '../../doctor/tables/check-tables.ts';
import { readTablesFacts } from '../../doctor/tables/tables-facts.ts';
import { migrate } from '../../prisma/migrate.ts';
import { readMigrations } from '../../prisma/migration-files.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { ensurePartitions, planPartitions } from '../../shared/platform/postgres/partitions/partitions.ts';
import { connect, createDirectory, createEmptyDatabase } from '../support/fixtures.ts';
import { parentOfDatabases } from '../support/memory-directory.ts';
import { olderPostgres } from '../support/older-postgres.ts';

const migration = '20261128010000_lz4_for_large_columns';
const table = 'strategy_execution_log';
const others = ['dead_letter.payload', 'request.response_body', 'request_template.body'];
const ofPart = (part: string): string[] => [`${part}.input`, `${part}.trace`];
const nowMs = Date.UTC(2026, 1, 27);

/** The PostgreSQL of the system, which was built with lz4. */
async function startWithLz4(): Promise<string> {
  const dir = join(await createDirectory(await parentOfDatabases()), 'postgres');
  const server = await startPostgres({ dir, fsync: false, binaries: await olderPostgres() });
  onTestFinished(server.stop);
  return server.url;
}

async function open(url: string) {
  const { database: config } = loadConfig({ DATABASE_URL: url });
  const database = createDatabase(config, 'test');
  onTestFinished(() => database.$disconnect());
  const client = await connect(url);
  const migrations = await readMigrations();
  return {
    client,
    migrateUntil: (isLast: (name: string) => boolean) =>
      migrate(config, { migrations: migrations.slice(0, migrations.findIndex(({ name }) => isLast(name)) + 1) }),
    migrateAll: () => migrate(config),
    makeDays: (fromMs: number, days: number) => ensurePartitions(database, table, planPartitions(table, fromMs, days)),
    /** Columns with a method of their own: `table.column`, by method. */
    async chosen(): Promise<Record<string, string[]>> {
      const { rows } = await client.query<{ method: string; names: string[] }>(
        `select attcompression as method, array_agg(relname || '.' || attname order by relname, attname) as names
         from pg_attribute join pg_class on pg_class.oid = attrelid
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attcompression <> '' group by 1`,
      );
      return Object.fromEntries(rows.map(({ method, names }) => [method, names]));
    },
    async finding() {
      const connection = await connectToPostgres(config, { withinMs: 30_000, hide: (text) => text });
      const facts = await readTablesFacts(connection, []);
      await connection.close();
      const findings = checkTables(facts, { migrations: [], days: [], nowMs });
      return findings.find(({ check }) => check === 'compression');
    },
  };
}

test('large columns: lz4 on a server that has it, in partitions that are there and those to come', async () => {
  const { client, migrateUntil, migrateAll, makeDays, chosen, finding } = await open(await startWithLz4());
  await migrateUntil((name) => name === '20261128000100_request_trace_index');
  expect(await chosen()).toEqual({});
  await makeDays(nowMs, 0);
  await migrateAll();
  await makeDays(nowMs, 1);
  await client.query(`create table by_hand partition of ${table} for values from ('2030-01-01Z') to ('2030-01-02Z')`);
  const parts = [`${table}`, `${table}_20260226`, `${table}_20260227`, `${table}_20260228`, `${table}_default`];
  expect(await chosen()).toEqual({ l: [...others, ...[...parts, 'by_hand'].flatMap(ofPart)].sort() });
  expect(await finding()).toMatchObject({ level: 'ok', message: 'lz4' });

  await client.query(
    `insert into ${table} (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate, trace)
     select gen_random_uuid(), at, 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1, to_jsonb(repeat('abc', 2000))
     from unnest('{2026-02-26Z,2026-02-28Z,2020-01-01Z}'::timestamptz[]) as at`,
  );
  const { rows } = await client.query(
    `select tableoid::regclass::text as part, pg_column_compression(trace) as method from ${table} order by 1`,
  );
  expect(rows).toEqual([parts[1], parts[3], parts[4]].map((part) => ({ part, method: 'lz4' })));
});

test('large columns: what somebody has chosen stays, and what nobody has chosen is told of with its remedy', async () => {
  const { client, migrateUntil, migrateAll, chosen, finding } = await open(await startWithLz4());
  await migrateUntil((name) => name === '20261128000100_request_trace_index');
  await client.query('alter table request alter response_body set compression pglz');
  await migrateAll();
  expect((await chosen())['p']).toEqual(['request.response_body']);
  expect(await finding()).toMatchObject({ level: 'ok', message: 'lz4, pglz' });

  // As after a migration on a server without lz4.
  await client.query('alter table dead_letter alter payload set compression default');
  const told = await finding();
  expect(told).toMatchObject({ level: 'warning' });
  expect(told?.message).toContain('pglz compresses dead_letter.payload,');
  await client.query(told?.remedy?.replace(/^as the owner of the tables: /, '') ?? '');
  expect(await finding()).toMatchObject({ level: 'ok' });
});

test('large columns: on a server without lz4 the migration changes nothing', async () => {
  const { client, migrateAll, chosen, finding } = await open(await createEmptyDatabase());
  const { rows } = await client.query<{ lz4: boolean }>(
    "select 'lz4' = any(enumvals) as lz4 from pg_settings where name = 'default_toast_compression'",
  );
  const hasLz4 = rows[0]?.lz4 === true;
  expect(await migrateAll()).toContain(migration);
  expect(await chosen()).toEqual(
    hasLz4 ? { l: [...others, ...ofPart(table), ...ofPart(`${table}_default`)].sort() } : {},
  );
  expect(await finding()).toMatchObject({
    level: 'ok',
    message: hasLz4 ? 'lz4' : 'pglz; the server was built without lz4',
  });
});
