import { expect, inject, test } from 'vitest';
import { connect, createNamespace, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { createHealthKeys } from '../../support/health.ts';
import { startFragilePostgres } from '../../support/private-servers.ts';
import { partitionRows } from '../../support/rows.ts';

test('start: a maintenance worker runs beside the others, and an outage is told in the terminal', async () => {
  const postgres = await startFragilePostgres();
  const fleet = await startSluice(['start'], {
    DATABASE_URL: postgres.url,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    ...createHealthKeys().environment,
    SLUICE_WORKERS: '1',
  });
  const said = (text: string) => until(() => fleet.stderr.some((line) => line.includes(text)));
  await said('ready.');
  const list = fleet.stderr.find((line) => line.includes('workers are running')) ?? '';
  expect(list).toMatch(/3 workers are running: worker-1 http:\S+, health-events http:\S+, maintenance http:\S+/);
  const metricsUrl = /maintenance (http:\S+\d)/.exec(list)?.[1];
  await until(async () =>
    (await (await fetch(`${metricsUrl}/metrics`)).text()).includes(
      'sluice_maintenance_runs_total{task="purge",outcome="done",role="maintenance"} 1',
    ),
  );
  expect(Object.keys(await partitionRows(await connect(postgres.url)))).toHaveLength(10);

  // A worker that is still at its start would say what it waits for before it begins.
  const workerUrl = /worker-1 (http:\S+\d)/.exec(list)?.[1];
  await until(async () => (await fetch(`${workerUrl}/readyz`)).ok);
  await postgres.kill();
  await said('worker-1 waits: PostgreSQL did not answer');
  await said('maintenance waits: PostgreSQL did not answer');
  await postgres.startAgain();
  await said('worker-1 is working again');
  await said('maintenance is working again');
  fleet.kill('SIGINT');
  expect(await fleet.ended).toBe(0);
});
