import { Queue, Worker } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../../../prisma/migrate.ts';
import { queuePrefix } from '../../../shared/contracts/queues.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { connect, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { startMaintenance } from '../../support/maintenance.ts';
import { startFragilePostgres } from '../../support/private-servers.ts';
import { targetOf } from '../../support/redis-target.ts';
import { createDay, insertDeadLetters, insertExecution, partitionRows } from '../../support/rows.ts';

const tasks = ['partitions', 'retention', 'purge', 'facts'];

/** The maintenance queue as an onlooker sees it. */
function openMaintenanceQueue(namespace: string): Queue {
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'worker', name: 'test', logger: null });
  const queue = new Queue('maintenance', { connection: redis, prefix: queuePrefix('maintenance', namespace) });
  onTestFinished(async () => {
    await queue.close();
    redis.disconnect();
  });
  return queue;
}

/** So many jobs that have failed, and as many that are done, as earlier runs leave them. */
async function endJobs(queue: Queue, namespace: string, each: number): Promise<void> {
  await queue.addBulk(
    Array.from({ length: 2 * each }, (_, index) => ({ name: index < each ? 'fails' : 'works', data: null })),
  );
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'worker', name: 'test', logger: null });
  const worker = new Worker(
    queue.name,
    ({ name }) => (name === 'fails' ? Promise.reject(new Error('as asked')) : Promise.resolve()),
    { connection: redis, prefix: queuePrefix('maintenance', namespace), concurrency: 10 },
  );
  await until(async () => (await queue.getFailedCount()) + (await queue.getCompletedCount()) === 2 * each);
  await worker.close();
  redis.disconnect();
}

/** The jobs of one task that have ended, by id. */
async function endedRuns(queue: Queue, task: string): Promise<string[]> {
  const jobs = await queue.getJobs(['completed', 'failed']);
  return jobs.filter(({ name }) => name === task).map(({ id }) => id ?? '');
}

test('maintenance: a fresh one does every task at once, and tells what it found', async () => {
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  const client = await connect(databaseUrl);
  const { name: old, noon } = await createDay(client, 120);
  await insertExecution(client, noon, 5);
  await insertExecution(client, '2020-01-01T00:00:00Z', 2);
  await insertDeadLetters(client, 'discarded', 40, 3);
  const { started, metric, role } = await startMaintenance(databaseUrl, namespace);
  await started;
  for (const task of tasks)
    await until(async () => (await metric('sluice_maintenance_runs_total', { task, outcome: 'done' })) === 1);

  const rows = await partitionRows(client);
  expect(rows).not.toHaveProperty(old);
  expect(Object.keys(rows)).toHaveLength(10);
  expect((await client.query('select from dead_letter')).rowCount).toBe(0);
  expect(await metric('sluice_partitions_dropped_total')).toBe(1);
  expect(await metric('sluice_rows_purged_total', { table: 'dead_letter' })).toBe(3);
  expect(await metric('sluice_partition_default_rows')).toBe(2);
  expect(await metric('sluice_partitions_ahead_days')).toBeGreaterThan(7);
  expect(await metric('sluice_partitions_blocked')).toBe(0);
  expect(await metric('sluice_partitions_overdue')).toBe(0);
  for (const task of tasks)
    expect(await metric('sluice_maintenance_last_success_timestamp_seconds', { task })).toBeGreaterThan(1.7e9);
  expect([role.notReadyReason(), role.livenessFailure(), role.heldRecords]).toEqual([null, null, 0]);
});

test('maintenance: among several workers each turn of a task is taken once, and all show what one has found', async () => {
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  const workers = await Promise.all([1, 2, 3].map(() => startMaintenance(databaseUrl, namespace, { everyMs: 400 })));
  await Promise.all(workers.map(({ started }) => started));
  const queue = openMaintenanceQueue(namespace);
  await until(async () => (await endedRuns(queue, 'purge')).length >= 5);
  expect(await queue.getJobSchedulersCount()).toBe(tasks.length);
  await Promise.all(workers.map(({ stop }) => stop()));

  for (const task of tasks) {
    const ended = await endedRuns(queue, task);
    expect(new Set(ended).size).toBe(ended.length);
    // None comes twice, and none within a period. After a turn that was missed on a busy machine, BullMQ begins the periods anew.
    const turns = ended.map((id) => Number(id.split(':').at(-1))).sort((a, b) => a - b);
    for (const [index, turn] of turns.entries())
      expect(turn - (turns[index - 1] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(400);
    let runs = 0;
    // On a busy machine one of them may find another at the same partition.
    for (const outcome of ['done', 'postponed'])
      for (const { metric } of workers) runs += await metric('sluice_maintenance_runs_total', { task, outcome });
    expect(runs).toBe(ended.length);
  }
});

test('maintenance: a restart makes no second scheduler and no second turn, and shows what was found before', async () => {
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  const client = await connect(databaseUrl);
  await insertExecution(client, '2020-01-01T00:00:00Z', 4);
  const queue = openMaintenanceQueue(namespace);
  const first = await startMaintenance(databaseUrl, namespace);
  await first.started;
  for (const task of tasks) await until(async () => (await endedRuns(queue, task)).length === 1);
  const turns = (await queue.getJobSchedulers()).map(({ key, next }) => [key, next]).sort();
  await first.stop();

  for (let restart = 0; restart < 3; restart += 1) {
    const again = await startMaintenance(databaseUrl, namespace);
    await again.started;
    expect(await again.metric('sluice_partition_default_rows')).toBe(4);
    await again.stop();
  }
  expect((await queue.getJobSchedulers()).map(({ key, next }) => [key, next]).sort()).toEqual(turns);
  expect(await queue.getJobCounts('waiting', 'active', 'delayed')).toEqual({
    waiting: 0,
    active: 0,
    delayed: tasks.length,
  });
  for (const task of tasks) expect(await endedRuns(queue, task)).toHaveLength(1);
});

test('maintenance: a Redis that has forgotten the schedulers gets them again', async () => {
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  const worker = await startMaintenance(databaseUrl, namespace, { everyMs: 300 });
  await worker.started;
  const queue = openMaintenanceQueue(namespace);
  await until(async () => (await endedRuns(queue, 'purge')).length > 0);
  await queue.obliterate({ force: true });
  await until(async () => (await queue.getJobSchedulersCount()) === tasks.length);
  await until(async () => (await endedRuns(queue, 'purge')).length > 0);
});

test('maintenance: asked to stop in the middle of a purge, it ends after the batch, and another goes on with it', async () => {
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  const client = await connect(databaseUrl);
  await insertDeadLetters(client, 'discarded', 40, 20_000);
  const first = await startMaintenance(databaseUrl, namespace);
  await first.started;
  await until(async () => (await first.metric('sluice_rows_purged_total', { table: 'dead_letter' })) > 0);
  expect(await first.stop()).toBe(true);
  expect(await first.metric('sluice_maintenance_runs_total', { task: 'purge', outcome: 'interrupted' })).toBe(1);
  const left = (await client.query('select from dead_letter')).rowCount ?? 0;
  expect(left).toBeGreaterThan(0);
  expect(left % 1_000).toBe(0);

  const second = await startMaintenance(databaseUrl, namespace);
  await second.started;
  await until(async () => (await client.query('select from dead_letter limit 1')).rowCount === 0);
  await until(
    async () => (await second.metric('sluice_maintenance_runs_total', { task: 'purge', outcome: 'done' })) === 1,
  );
});

test('maintenance: while PostgreSQL is down a task waits, and is done when it is back', async () => {
  const postgres = await startFragilePostgres();
  await migrate(loadConfig({ DATABASE_URL: postgres.url }).database);
  const worker = await startMaintenance(postgres.url, createNamespace(), { everyMs: 300 });
  await worker.started;
  await until(
    async () => (await worker.metric('sluice_maintenance_runs_total', { task: 'purge', outcome: 'done' })) > 0,
  );
  await postgres.kill();
  await until(async () => (await worker.metric('sluice_database_outage')) === 1);
  const before = await worker.metric('sluice_maintenance_runs_total', { task: 'partitions', outcome: 'done' });
  await postgres.startAgain();
  await until(
    async () =>
      (await worker.metric('sluice_maintenance_runs_total', { task: 'partitions', outcome: 'done' })) > before + 1,
  );
  expect(await worker.metric('sluice_database_outage')).toBe(0);
  expect(await worker.metric('sluice_maintenance_runs_total', { task: 'partitions', outcome: 'failed' })).toBe(0);
});

test('maintenance: asked to stop while PostgreSQL is down, it stops, whether it has begun or not', async () => {
  const postgres = await startFragilePostgres();
  await migrate(loadConfig({ DATABASE_URL: postgres.url }).database);
  const namespace = createNamespace();
  const begun = await startMaintenance(postgres.url, namespace, { everyMs: 300 });
  await begun.started;
  await postgres.kill();
  await until(async () => (await begun.metric('sluice_database_outage')) === 1);
  const waiting = await startMaintenance(postgres.url, namespace, { everyMs: 300 });
  await until(() => waiting.messages().includes('database is in trouble; maintenance waits'));
  expect(await Promise.all([begun.stop(), waiting.stop()])).toEqual([true, true]);
});

test('maintenance: a task that is refused fails and comes again', async () => {
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  const client = await connect(databaseUrl);
  const { name } = await createDay(client, 120);
  await client.query(`create view report as select * from ${name}`);
  const worker = await startMaintenance(databaseUrl, namespace, { everyMs: 100 });
  await worker.started;
  const runs = () => worker.metric('sluice_maintenance_runs_total', { task: 'retention', outcome: 'failed' });
  await until(async () => (await runs()) > 2);
  expect(await worker.metric('sluice_partitions_overdue')).toBe(1);
  await client.query('drop view report');
  await until(async () => (await worker.metric('sluice_partitions_dropped_total')) === 1);
});

test('maintenance: Redis keeps a hundred jobs of those that failed, and of those that were done', async () => {
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  const client = await connect(databaseUrl);
  const { name } = await createDay(client, 120);
  await client.query(`create view report as select * from ${name}`);
  const queue = openMaintenanceQueue(namespace);
  await endJobs(queue, namespace, 110);
  expect([await queue.getFailedCount(), await queue.getCompletedCount()]).toEqual([110, 110]);
  const worker = await startMaintenance(databaseUrl, namespace, { everyMs: 100 });
  await worker.started;
  const runs = (task: string, outcome: string) => worker.metric('sluice_maintenance_runs_total', { task, outcome });
  await until(async () => (await runs('retention', 'failed')) > 2 && (await runs('partitions', 'done')) > 2);
  await worker.stop();
  expect([await queue.getFailedCount(), await queue.getCompletedCount()]).toEqual([100, 100]);
});

test('maintenance: without the tables it does not begin', async () => {
  const worker = await startMaintenance(inject('postgresUrl'), createNamespace());
  await expect(worker.started).rejects.toThrow(/42P01|does not exist/);
});
