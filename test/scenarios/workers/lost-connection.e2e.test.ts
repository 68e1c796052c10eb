import { expect, inject, test } from 'vitest';
import { allOnce, settledAccounts, untilStoredMore } from '../../support/accounts.ts';
import { createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { freezePostgres, startMigratedPostgres } from '../../support/migrated-postgres.ts';
import { startProxyTo } from '../../support/proxies.ts';
import { startLoad } from '../../support/steady-load.ts';
import { isStoring, storedRowsOf } from '../../support/stored-executions.ts';
import { calmLocks, startWorkerProcess } from '../../support/worker-process.ts';

/** So that a lost connection is given up in seconds; the client waits two seconds longer than the server. */
const impatient = { ...calmLocks, SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300', SLUICE_RETRY_MAX_MS: '200' };

test('worker: a commit whose reply is lost is repeated, and its rows are there once', async () => {
  const databaseUrl = await createTestDatabase();
  const place = { databaseUrl, redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const { proxy, url } = await startProxyTo(databaseUrl);
  const worker = await startWorkerProcess({ ...place, databaseUrl: url }, { ...calmLocks, SLUICE_RETRY_MAX_MS: '200' });
  const load = startLoad(place, { perSecond: 2_000 });

  const committed: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    committed.push(storedRowsOf(await proxy.loseReply(isStoring)));
    await untilStoredMore(databaseUrl, 200);
  }
  await load.stop();

  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
  expect(Math.max(...committed)).toBeGreaterThan(0);
  const duplicates = await worker.metric('sluice_records_total', { outcome: 'duplicate' });
  expect(duplicates).toBe(committed.reduce((sum, rows) => sum + rows, 0));
});

test('worker: connections that have gone silent are given up, and new ones do the work', async () => {
  const databaseUrl = await createTestDatabase();
  const place = { databaseUrl, redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const { proxy, url } = await startProxyTo(databaseUrl);
  const worker = await startWorkerProcess({ ...place, databaseUrl: url }, impatient);
  const load = startLoad(place, { perSecond: 1_000 });

  for (let time = 0; time < 2; time += 1) {
    await untilStoredMore(databaseUrl, 500);
    const retries = await worker.metric('sluice_statement_retries_total');
    proxy.blackHole();
    await until(async () => (await worker.metric('sluice_statement_retries_total')) > retries);
  }
  await untilStoredMore(databaseUrl, 500);
  await load.stop();

  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
  await until(async () => (await fetch(`${worker.url}/readyz`)).status === 200);
});

test('worker: it sits out a PostgreSQL that is frozen, and goes on when it thaws', async () => {
  const postgres = await startMigratedPostgres();
  const place = { databaseUrl: postgres.url, redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const worker = await startWorkerProcess(place, { ...impatient, SLUICE_DATABASE_CONNECT_TIMEOUT_MS: '500' });
  const load = startLoad(place, { perSecond: 1_000 });
  await untilStoredMore(postgres.url, 500);

  const thaw = await freezePostgres(postgres.url);
  await until(async () => (await worker.metric('sluice_statement_retries_total')) >= 4);
  thaw();
  await untilStoredMore(postgres.url, 500);
  await load.stop();

  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});
