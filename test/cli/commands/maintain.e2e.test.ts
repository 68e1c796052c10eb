import { expect, inject, test } from 'vitest';
import { connect, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { createDay, insertDeadLetters, insertExecution, partitionRows } from '../../support/rows.ts';

async function setUp() {
  const databaseUrl = await createTestDatabase();
  const run = async (args: string[], environment: Record<string, string> = {}) => {
    const call = await startSluice(['maintain', ...args], { DATABASE_URL: databaseUrl, ...environment });
    const exitCode = await call.ended;
    const last = call.stdout.at(-1) ?? '';
    return { exitCode, stdout: call.stdout.join('\n'), stderr: call.stderr.join('\n'), json: () => JSON.parse(last) };
  };
  return { databaseUrl, run, client: await connect(databaseUrl) };
}

test('maintain: a dry run says what would be made, dropped and purged, and changes nothing', async () => {
  const { run, client } = await setUp();
  const { name, noon } = await createDay(client, 120);
  await insertExecution(client, noon, 3);
  await insertDeadLetters(client, 'stored', 40, 4);
  const before = await partitionRows(client);
  const dry = await run(['--dry-run', '--json']);
  expect(dry.exitCode).toBe(0);
  expect(dry.json()).toMatchObject({
    partitions: { aheadDays: 0, defaultRows: 0 },
    retention: { wouldDrop: [name], wouldRefuse: false },
    purge: { wouldPurge: { dead_letter: 4 }, wouldRefuse: false },
  });
  expect(dry.json().partitions.wouldCreate).toHaveLength(9);
  expect((await run(['retention', '--dry-run'])).stdout).toContain(`would drop: ${name}`);
  expect(await partitionRows(client)).toEqual(before);

  const done = await run(['--json']);
  expect(done.exitCode).toBe(0);
  expect(done.json()).toMatchObject({
    partitions: { outcome: 'done', blocked: [] },
    retention: { outcome: 'done', dropped: [name], postponed: [], failed: [], overdue: 0 },
    purge: { outcome: 'done', purged: { dead_letter: 4 } },
  });
  expect(done.stderr).toContain(`${name} dropped`);
  expect(Object.keys(await partitionRows(client))).toHaveLength(10);
  expect((await run([])).stdout).toContain('dropped: none');
});

test('maintain: one task alone, with settings of its own', async () => {
  const { run, client } = await setUp();
  await createDay(client, 40);
  const kept = await run(['retention', '--json']);
  expect(kept.json()).toEqual({
    retention: { outcome: 'done', dropped: [], postponed: [], failed: [], overdue: 0 },
  });
  expect((await run(['retention', '--json'], { SLUICE_RETENTION_DAYS: '30' })).json().retention.dropped).toHaveLength(
    1,
  );
});

test('maintain: what fails ends with 1 and says why, a wrong call with 2', async () => {
  const { run, client } = await setUp();
  const { name } = await createDay(client, 120);
  await client.query(`create view report as select * from ${name}`);
  const failed = await run(['retention']);
  expect(failed.exitCode).toBe(1);
  expect(failed.stdout).toMatch(new RegExp(`failed: ${name}: 2BP01`));
  const away = await run(['--json'], { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
  expect(away.exitCode).toBe(1);
  expect(away.json().partitions).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/: nothing listens on port 1 of 127\.0\.0\.1 \(check/),
  });
  expect((await run(['everything'])).exitCode).toBe(2);
  expect((await run([], { SLUICE_RETENTION_DAYS: '-1' })).exitCode).toBe(2);
});

test('maintain: SIGTERM ends a purge after a batch, and the next call does the rest', async () => {
  const { databaseUrl, run, client } = await setUp();
  await insertDeadLetters(client, 'discarded', 40, 30_000);
  const purge = await startSluice(['maintain', 'purge', '--json'], { DATABASE_URL: databaseUrl });
  await until(() => purge.stderr.some((line) => line.includes('purged')));
  purge.kill('SIGTERM');
  expect(await purge.ended).toBe(1);
  expect(JSON.parse(purge.stdout.at(-1) ?? '').purge.outcome).toBe('interrupted');
  expect((await run(['purge', '--json'])).json().purge.outcome).toBe('done');
  expect((await client.query('select from dead_letter')).rowCount).toBe(0);
});

test('worker maintenance: a killed one leaves nothing half-done, another goes on, and SIGTERM ends it with 0', async () => {
  const databaseUrl = await createTestDatabase();
  const environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    SLUICE_WORKER_PORT: '0',
    // Short, so that a killed worker's task comes back soon; the default is fifteen seconds.
    SLUICE_LOCK_DURATION_MS: '1000',
    SLUICE_STALLED_INTERVAL_MS: '500',
  };
  const client = await connect(databaseUrl);
  await insertDeadLetters(client, 'discarded', 40, 30_000);
  const rows = async () => (await client.query('select from dead_letter')).rowCount ?? 0;
  const first = await startSluice(['worker', 'maintenance'], environment);
  await until(async () => (await rows()) < 30_000);
  first.kill('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  expect((await rows()) % 1_000).toBe(0);

  const second = await startSluice(['worker', 'maintenance'], environment);
  await until(async () => (await rows()) === 0);
  const up = second.stdout.find((line) => line.includes('worker is up')) ?? '{}';
  const { url } = JSON.parse(up);
  await until(async () => (await fetch(`${url}/readyz`)).ok);
  expect((await fetch(`${url}/healthz`)).ok).toBe(true);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('sluice_maintenance_runs_total');
  second.kill('SIGTERM');
  expect(await second.ended).toBe(0);
});

test('maintain: killed while it moves rows of the past, it leaves all of them to be seen, and the next call moves them', async () => {
  const { databaseUrl, run, client } = await setUp();
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     select gen_random_uuid(), now() - make_interval(days => 2 + n % 10), 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1 from generate_series(1, 100000) as n`,
  );
  const killed = await startSluice(['maintain', 'partitions'], { DATABASE_URL: databaseUrl });
  await until(async () => {
    const { rows } = await client.query<{ there: boolean }>(
      `select to_regclass('sluice_moving_all') is not null as there`,
    );
    return rows[0]?.there && ((await client.query('select from sluice_moving_all limit 1')).rowCount ?? 0) > 0;
  });
  killed.kill('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  const all = `select count(*)::int as n, count(distinct id)::int as ids from strategy_execution_log`;
  expect((await client.query(all)).rows).toEqual([{ n: 100_000, ids: 100_000 }]);
  // The server may be at the last statement of the dead process still.
  await until(async () => (await run(['partitions', '--json'])).json().partitions.movedRows === 100_000);
  expect((await client.query(all)).rows).toEqual([{ n: 100_000, ids: 100_000 }]);
  expect(await partitionRows(client)).toMatchObject({ strategy_execution_log_default: 0 });
  expect((await client.query(`select from pg_class where relname like 'sluice_moving%'`)).rowCount).toBe(0);
}, 120_000);
