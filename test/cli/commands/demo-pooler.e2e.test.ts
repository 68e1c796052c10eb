import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startPostgres } from '../../../dev/servers/postgres.ts';
import { migrate } from '../../../prisma/migrate.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { connect, createDirectory, createNamespace } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { createHealthKeys } from '../../support/health.ts';
import { parentOfDatabases } from '../../support/memory-directory.ts';
import { olderPostgres } from '../../support/older-postgres.ts';
import { startPgBouncer } from '../../support/pgbouncer.ts';

/** A server in another time zone, with a schema of Sluice's own that has to be quoted. */
async function aServer(binaries: Awaited<ReturnType<typeof olderPostgres>> | undefined) {
  const server = await startPostgres({
    dir: join(await createDirectory(await parentOfDatabases()), 'postgres'),
    fsync: false,
    settings: { timezone: 'Europe/Berlin', datestyle: 'German' },
    ...(binaries === undefined ? {} : { binaries }),
  });
  onTestFinished(server.stop);
  const admin = await connect(server.url);
  await admin.query('create schema "my-Schema"; create schema myschema');
  const pooler = await startPgBouncer(server.url, { dir: join(await createDirectory(), 'pgbouncer') });
  onTestFinished(pooler.stop);
  return { admin, direct: `${server.url}?schema=my-Schema`, pooled: `${pooler.url}?schema=my-Schema&pgbouncer=true` };
}

test.each([
  ['the PostgreSQL of the system', olderPostgres],
  ['the newest PostgreSQL', () => undefined],
])('demo: it adds up through PgBouncer on %s, in another time zone and a schema of its own', async (_name, find) => {
  const { admin, direct, pooled } = await aServer(await find());
  await migrate(loadConfig({ DATABASE_URL: direct }).database);
  const environment = {
    DATABASE_URL: pooled,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    ...createHealthKeys().environment,
  };
  const args = ['--executions', '3000', '--requests', '300', '--games', '3', '--exit', '--json'];
  const demo = await startSluice(['demo', ...args], environment, await createDirectory());
  expect(await demo.ended, demo.stderr.join('\n')).toBe(0);
  const { requests, ...result } = JSON.parse(demo.stdout.at(-1) ?? '');
  expect(result).toMatchObject({ sent: 3_000, reconciled: true });
  expect(requests).toMatchObject({ dropped: 0, dead: 0, unaccounted: 0, reconciled: true });

  const listed = await startSluice(['executions', 'list', '--since', '1h', '--json'], environment);
  expect(await listed.ended, listed.stderr.join('\n')).toBe(0);
  expect(listed.stdout.join('\n').length).toBeGreaterThan(1_000);

  const { rows: elsewhere } = await admin.query(
    "select schemaname, tablename from pg_tables where schemaname in ('public', 'myschema')",
  );
  expect(elsewhere).toEqual([]);
  const { rows: stored } = await admin.query('select count(*)::int as n from "my-Schema".strategy_execution_log');
  expect(stored[0].n).toBeGreaterThan(0);
});
