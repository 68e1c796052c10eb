import { expect, inject, test } from 'vitest';
import { allOnce, countStored, settledAccounts, untilStored } from '../../support/accounts.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startMigratedPostgres } from '../../support/migrated-postgres.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { recordsOf } from '../../support/records-of.ts';
import { startLoad } from '../../support/steady-load.ts';
import { calmLocks, type Place, startWorkerProcess } from '../../support/worker-process.ts';

/** A place on the shared servers, with what a test puts over it. */
async function aPlace(overrides: Partial<Place> = {}): Promise<Place> {
  return {
    databaseUrl: overrides.databaseUrl ?? (await createTestDatabase()),
    redisUrl: overrides.redisUrl ?? inject('redisUrl'),
    namespace: createNamespace(),
  };
}

/** Records nothing but what it is told to. */
const startObserver = (place: Place) => startLoad(place, { perSecond: 0 });

test('fleet: a worker that is killed in the middle of its batches costs no record, and none is there twice', async () => {
  const place = await aPlace();
  const [first] = await Promise.all([startWorkerProcess(place), startWorkerProcess(place)]);
  const load = startObserver(place);
  load.add(20_000);
  await untilStored(place.databaseUrl, 1_001);
  first.kill('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');

  await load.stop();
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});

test('worker: while PostgreSQL is down nothing fails, and all of it is stored when it is back', async () => {
  const postgres = await startMigratedPostgres();
  const place = await aPlace({ databaseUrl: postgres.url });
  const worker = await startWorkerProcess(place, { SLUICE_RETRY_MAX_MS: '200' });
  const load = startObserver(place);
  load.add(3_000);
  await untilStored(place.databaseUrl, 1);

  await postgres.kill();
  load.add(3_000);
  await until(() => worker.log().some(({ msg }) => msg.includes('database is in trouble')));
  await until(async () => (await fetch(`${worker.url}/readyz`)).status === 503);
  expect((await fetch(`${worker.url}/healthz`)).status).toBe(200);
  await postgres.startAgain();

  await load.stop();
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
  await until(async () => (await fetch(`${worker.url}/readyz`)).status === 200);
});

test('worker: a Redis that is killed and started again loses nothing that it had acknowledged', async () => {
  const redis = await startFragileRedis();
  const place = await aPlace({ redisUrl: redis.url });
  await startWorkerProcess(place);
  const load = startObserver(place);
  load.add(3_000);
  await untilStored(place.databaseUrl, 1);

  await redis.kill();
  load.add(3_000);
  await redis.startAgain();
  load.add(3_000);

  await load.stop();
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});

test('worker: on SIGTERM it settles what it holds and exits with 0', async () => {
  const place = await aPlace();
  // A lock that a busy machine lets lapse makes its job somebody else's, and there is nobody else here.
  const worker = await startWorkerProcess(place, calmLocks);
  const load = startObserver(place);
  load.add(10_000);
  await untilStored(place.databaseUrl, 1);
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(0);

  await load.stop();
  const queue = openQueue(place.namespace);
  expect(await queue.getJobCounts('active', 'failed')).toEqual({ active: 0, failed: 0 });
  const waiting = (await queue.getJobs(['waiting'])).reduce((sum, job) => sum + recordsOf(job).length, 0);
  expect((await countStored(place.databaseUrl)) + waiting).toBe(10_000);
});

test('worker: when its deadline passes with the database locked, it exits with 1 and its jobs wait for another', async () => {
  const place = await aPlace();
  const worker = await startWorkerProcess(place, { SLUICE_SHUTDOWN_TIMEOUT_MS: '200' });
  const client = await connect(place.databaseUrl);
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');
  const load = startObserver(place);
  load.add(1_000);
  const onlooker = await connect(place.databaseUrl);
  await until(
    async () =>
      (
        await onlooker.query(
          'select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted and relation is not null',
        )
      ).rowCount,
  );
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(1);

  await client.query('rollback');
  await startWorkerProcess(place);
  await load.stop();
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});
