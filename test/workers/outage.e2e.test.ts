import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../producers/index.ts';
import { anExecution } from '../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../support/fixtures.ts';
import { type SluiceProcess, startSluice } from '../support/fleet.ts';
import { startFragilePostgres, startFragileRedis } from '../support/private-servers.ts';

interface Place {
  databaseUrl: string;
  redisUrl: string;
  namespace: string;
}

async function startWorker(
  { databaseUrl, redisUrl, namespace }: Place,
  environment: Record<string, string> = {},
): Promise<SluiceProcess> {
  const worker = await startSluice(['worker', 'execution-log'], {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    SLUICE_NAMESPACE: namespace,
    SLUICE_WORKER_PORT: '0',
    // Short, so that a killed worker's jobs come back soon; the default is fifteen seconds.
    SLUICE_LOCK_DURATION_MS: '1000',
    SLUICE_STALLED_INTERVAL_MS: '500',
    ...environment,
  });
  await until(() => worker.stdout.some((line) => line.includes('taking jobs')));
  return worker;
}

function startObserver({ redisUrl, namespace }: Pick<Place, 'redisUrl' | 'namespace'>) {
  const observer = createExecutionObserver({
    redisUrl,
    namespace,
    producer: { sampleRate: 1, buffer: { maxRecords: 1_000_000, maxBytes: 1_000_000_000 } },
    registry: new Registry(),
    logger: { warn: () => undefined },
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  return observer;
}

/** Records distinguishable executions and gives their case names. */
function record(observer: ReturnType<typeof createExecutionObserver>, label: string, count: number): string[] {
  const names = Array.from({ length: count }, (_, index) => `${label}-${String(index).padStart(6, '0')}`);
  for (const caseName of names) observer.record(anExecution({ caseName }));
  return names;
}

async function rowCount(databaseUrl: string): Promise<number> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from strategy_execution_log');
  await client.end();
  return rows[0]?.n ?? 0;
}

/** Waits until nothing is on its way any more, and gives the case names of all rows, duplicates included. */
async function storedNames(place: Place, expected: number): Promise<string[]> {
  await until(async () => (await rowCount(place.databaseUrl)) >= expected);
  const queue = openQueue(place.namespace, place.redisUrl);
  await until(async () => {
    const { waiting, active, delayed } = await queue.getJobCounts('waiting', 'active', 'delayed');
    return waiting === 0 && active === 0 && delayed === 0;
  });
  expect(await queue.getFailedCount()).toBe(0);
  const client = await connect(place.databaseUrl);
  const { rows } = await client.query<{ case_name: string }>(
    'select case_name from strategy_execution_log order by case_name',
  );
  return rows.map((row) => row.case_name);
}

test('fleet: a worker that is killed in the middle of its batches costs no record, and none is there twice', async () => {
  const place = { databaseUrl: await createTestDatabase(), redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const [first] = await Promise.all([startWorker(place), startWorker(place)]);
  const observer = startObserver(place);
  const names = record(observer, 'a', 20_000);
  await until(async () => (await rowCount(place.databaseUrl)) > 1_000);
  first.kill('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');

  expect(await storedNames(place, names.length)).toEqual(names);
});

test('worker: while PostgreSQL is down nothing fails, and all of it is stored when it is back', async () => {
  const postgres = await startFragilePostgres();
  const place = { databaseUrl: postgres.url, redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const migration = await startSluice(['migrate'], { DATABASE_URL: postgres.url });
  expect(await migration.ended).toBe(0);
  const worker = await startWorker(place, { SLUICE_RETRY_MAX_MS: '200' });
  const observer = startObserver(place);
  const before = record(observer, 'a', 3_000);
  await until(async () => (await rowCount(place.databaseUrl)) > 0);

  await postgres.kill();
  const during = record(observer, 'b', 3_000);
  await until(() => worker.stdout.some((line) => line.includes('database is in trouble')));
  const url = worker.stdout.flatMap((line) => (line.includes('worker is up') ? [String(JSON.parse(line).url)] : []))[0];
  await until(async () => (await fetch(`${url}/readyz`)).status === 503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  await postgres.startAgain();

  expect(await storedNames(place, 6_000)).toEqual([...before, ...during]);
  await until(async () => (await fetch(`${url}/readyz`)).status === 200);
});

test('worker: a Redis that is killed and started again loses nothing that it had acknowledged', async () => {
  const redis = await startFragileRedis();
  const place = { databaseUrl: await createTestDatabase(), redisUrl: redis.url, namespace: createNamespace() };
  await startWorker(place);
  const observer = startObserver(place);
  const before = record(observer, 'a', 3_000);
  await until(async () => (await rowCount(place.databaseUrl)) > 0);

  await redis.kill();
  const during = record(observer, 'b', 3_000);
  await redis.startAgain();
  const after = record(observer, 'c', 3_000);

  expect(await storedNames(place, 9_000)).toEqual([...before, ...during, ...after]);
});

test('worker: on SIGTERM it settles what it holds and exits with 0', async () => {
  const place = { databaseUrl: await createTestDatabase(), redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const worker = await startWorker(place);
  const observer = startObserver(place);
  record(observer, 'a', 10_000);
  await until(async () => (await rowCount(place.databaseUrl)) > 0);
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(0);

  await observer.drain();
  const queue = openQueue(place.namespace);
  expect(await queue.getJobCounts('active', 'failed')).toEqual({ active: 0, failed: 0 });
  const waiting = (await queue.getJobs(['waiting'])).reduce((sum, job) => sum + job.data.records.length, 0);
  expect((await rowCount(place.databaseUrl)) + waiting).toBe(10_000);
});

test('worker: when its deadline passes with the database locked, it exits with 1 and its jobs wait for another', async () => {
  const place = { databaseUrl: await createTestDatabase(), redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const worker = await startWorker(place, {
    SLUICE_SHUTDOWN_TIMEOUT_MS: '200',
    SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300',
    SLUICE_RETRY_MAX_MS: '200',
  });
  const client = await connect(place.databaseUrl);
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');
  const observer = startObserver(place);
  const names = record(observer, 'a', 1_000);
  await until(() => worker.stdout.some((line) => line.includes('database is in trouble')));
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(1);

  await client.query('rollback');
  await startWorker(place);
  expect(await storedNames(place, names.length)).toEqual(names);
});
