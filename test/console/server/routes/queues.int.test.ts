import { Worker } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createQueueWatch } from '../../../../console/server/queues/queue-watch.ts';
import { createShardList } from '../../../../console/server/queues/shard-list.ts';
import { queuePrefix } from '../../../../shared/contracts/queues.ts';
import { aConsole, allTokens, operatorToken, readToken } from '../../../support/a-console.ts';
import { compressed, filler } from '../../../support/compressed-chunk.ts';
import { anExecution } from '../../../support/execution.ts';
import { openQueue, until } from '../../../support/fixtures.ts';
import { connectRedis } from '../../../support/health.ts';
import { startObserver } from '../../../support/started-observer.ts';
import { startWorker as startRecordWorker } from '../../../support/worker.ts';

/** A worker of a test's own queue, that fails the jobs that say so. */
function startWorker(namespace: string): Worker {
  const connection = connectRedis(inject('redisUrl'));
  const worker = new Worker(
    'execution-log',
    async ({ data }) => {
      if (data.fails) throw new Error('as it was asked');
    },
    { connection, prefix: queuePrefix('execution-log', namespace), removeOnComplete: { count: 0 } },
  );
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close());
  return worker;
}

test('queues: a queue’s jobs, its oldest, and how it moves are told as they are', async () => {
  const { get, namespace } = await aConsole();
  const queue = openQueue(namespace);
  const addedAt = Date.now() - 90_000;
  await queue.add('chunk', {}, { timestamp: addedAt });
  await queue.add('chunk', {});
  await queue.add('chunk', {}, { delay: 600_000 });
  await queue.pause();
  const { status, body } = await get('/api/v1/queues');
  expect(status).toBe(200);
  expect(body.queues.map((one: { queue: string }) => one.queue)).toEqual(['execution-log', 'completed-request']);
  const [executions, requests] = body.queues;
  expect(executions).toMatchObject({ waiting: 2, active: 0, delayed: 1, failed: 0, isPaused: true, workers: 0 });
  expect(executions).toMatchObject({ rates: null, drainSeconds: null });
  expect(executions.oldestAgeSeconds).toBeCloseTo((Date.parse(body.at) - addedAt) / 1_000, 1);
  expect(requests).toMatchObject({ waiting: 0, oldestAgeSeconds: null, drainSeconds: 0, isPaused: false });
  expect(Object.keys(executions)).not.toContain('added');
});

test('queues: what Prometheus is told of backlog and pause needs no worker', async () => {
  const { get, namespace } = await aConsole();
  const queue = openQueue(namespace);
  await queue.add('chunk', {});
  await queue.add('chunk', {});
  await queue.add('chunk', {}, { delay: 600_000 });
  await queue.pause();
  const { text } = await get('/metrics');
  expect(text).toContain('sluice_queue_backlog_jobs{queue="execution-log"} 2\n');
  expect(text).toContain('sluice_queue_backlog_jobs{queue="completed-request"} 0\n');
  expect(text).toContain('sluice_queue_paused{queue="execution-log"} 1\n');
  expect(text).toContain('sluice_queue_paused{queue="completed-request"} 0\n');
});

test('scaling: a worker is needed while a job is delayed, and none while nothing is there or the queue is paused', async () => {
  const { get, namespace } = await aConsole();
  const queue = openQueue(namespace);
  const minWorkers = async () => (await get('/api/v1/scaling')).body.minWorkers;
  expect(await minWorkers()).toBe(0);
  await queue.add('chunk', {}, { delay: 600_000 });
  expect(await minWorkers()).toBe(1);
  expect((await get('/metrics')).text).toContain('sluice_queue_min_workers{queue="execution-log"} 1\n');
  await queue.pause();
  expect(await minWorkers()).toBe(0);
});

test('queues: rates are those of what was added and done between two looks', async () => {
  const { namespace, redis } = await aConsole();
  let nowMs = 0;
  const watch = createQueueWatch({
    redis,
    namespace,
    shardList: createShardList({ redis, namespace }),
    elapsedMs: () => nowMs,
  });
  const look = async () => (await watch.read()).find(({ queue }) => queue === 'execution-log');
  const queue = openQueue(namespace);
  await queue.add('chunk', {});
  expect((await look())?.rates).toBeNull();
  startWorker(namespace);
  for (let n = 0; n < 9; n += 1) await queue.add('chunk', { fails: n < 3 });
  await until(async () => (await queue.getFailedCount()) === 3 && (await queue.getWaitingCount()) === 0);
  await until(async () => (await queue.getActiveCount()) === 0);
  nowMs = 10_000;
  const after = await look();
  expect(after).toMatchObject({ waiting: 0, active: 0, failed: 3 });
  expect(after?.rates).toEqual({ arrivalsPerSecond: 0.9, completionsPerSecond: 0.7, overSeconds: 10 });
  // A minute on, what happened before counts no more.
  nowMs = 15_000;
  await look();
  nowMs = 80_000;
  expect((await look())?.rates).toEqual({ arrivalsPerSecond: 0, completionsPerSecond: 0, overSeconds: 65 });
  await queue.obliterate({ force: true });
  await queue.add('chunk', {});
  nowMs = 85_000;
  expect((await look())?.rates).toBeNull();
});

test('metrics: requests are counted by route, and the queues’ rates are there when they are known', async () => {
  const { get } = await aConsole();
  await get('/api/v1/executions/018f0000-0000-7000-8000-000000000000');
  await get('/somewhere/<script>');
  const { text, status } = await get('/metrics');
  expect(status).toBe(200);
  expect(text).toContain(
    'sluice_console_request_seconds_count{method="GET",route="/api/v1/executions/:id",status="404"} 1',
  );
  expect(text).toContain('route="none",status="404"} 1');
  expect(text).not.toContain('<script>');
});

test('Bull Board: it shows the last completed chunks and the jobs of each minute, and lets nobody repeat them', async () => {
  const { ask, get, namespace, databaseUrl } = await aConsole();
  await startRecordWorker(databaseUrl, namespace);
  const queue = openQueue(namespace);
  startObserver(namespace).record(anExecution({ caseName: 'Kept' }));
  const [job] = await until(async () => {
    const jobs = await queue.getCompleted();
    return jobs.length > 0 && jobs;
  });
  const page = await get('/queues/api/queues?activeQueue=execution-log&status=completed');
  const [executions] = page.body.queues;
  expect(executions.counts).toMatchObject({ completed: 1, waiting: 0, active: 0 });
  expect(executions.jobs).toHaveLength(1);
  expect(executions.jobs[0].data).toMatchObject({
    recordCount: 1,
    records: [{ caseName: 'Kept', externalUserId: 'hidden: text of 6 characters' }],
  });
  expect(executions.allowCompletedRetries).toBe(false);
  const { body } = await get('/queues/api/queues/execution-log/metrics');
  expect(body.completed.meta.count).toBe(1);
  expect((await ask('PUT', `/queues/api/queues/execution-log/${job?.id}/retry`)).status).toBe(409);
  expect(await queue.getJobCounts('completed', 'waiting')).toEqual({ completed: 1, waiting: 0 });
  const [watched] = (await get('/api/v1/queues')).body.queues;
  expect(watched).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0, oldestAgeSeconds: null });
  expect((await get('/api/v1/scaling')).body.minWorkers).toBe(0);
});

test('Bull Board: it shows jobs, their data cut, and lets nobody make records disappear', async () => {
  const { ask, get, namespace } = await aConsole();
  const queue = openQueue(namespace);
  const records = Array.from({ length: 30 }, (_, n) => ({ n, input: '<b>'.repeat(400) }));
  await queue.add('chunk', { v: 1, records }, { jobId: 'job-1' });
  const board = await get('/queues/');
  expect(board.status).toBe(200);
  expect(board.text).not.toMatch(/<script>(?!<)/);
  const job = await get('/queues/api/queues/execution-log/job-1');
  expect(job.status).toBe(200);
  expect(job.body.job.data).toMatchObject({ v: 1, recordCount: 30, more: '10 more records, not shown' });
  expect(job.body.job.data.records).toHaveLength(20);
  expect(job.body.job.data.records[0].input).toBe('hidden: text of 1200 characters');
  expect((await get('/queues/api/queues')).body.queues.map((one: { name: string }) => one.name)).toEqual([
    'execution-log',
    'completed-request',
    'maintenance',
  ]);
  for (const [method, path] of [
    ['PUT', 'execution-log/empty'],
    ['PUT', 'execution-log/obliterate'],
    ['PUT', 'execution-log/clean/waiting'],
    ['PUT', 'execution-log/clean/failed'],
    ['PUT', 'execution-log/job-1/clean'],
    ['POST', 'execution-log/add'],
    ['PATCH', 'execution-log/job-1/update-data'],
    ['PUT', 'execution-log/retry/completed'],
    ['PUT', 'execution-log/clean/retry'],
    ['PUT', 'execution-log/clean/promote'],
    ['PUT', 'execution-log/empt%79'],
  ] as const)
    expect((await ask(method, `/queues/api/queues/${path}`, { body: {} })).status, path).toBe(403);
  expect(await queue.getWaitingCount()).toBe(1);
  expect((await ask('PUT', '/queues/api/queues/execution-log/pause')).status).toBe(200);
  expect(await queue.isPaused()).toBe(true);
  expect((await ask('PUT', '/queues/api/queues/resume')).status).toBe(200);
  expect(await queue.isPaused()).toBe(false);
  // It waits already, so it cannot be promoted; and a page of jobs has an end.
  expect((await ask('PUT', '/queues/api/queues/execution-log/job-1/promote')).status).toBe(409);
  const list = '/queues/api/queues?activeQueue=execution-log&status=waiting&jobsPerPage=';
  expect((await get(`${list}100`)).body.queues[0].jobs).toHaveLength(1);
  expect((await get(`${list}101`)).status).toBe(400);
});

test('Bull Board: a job whose data is no JSON does not keep the others from being shown', async () => {
  const { ask, get, namespace, redis } = await aConsole();
  const queue = openQueue(namespace);
  for (const id of ['job-1', 'job-2']) await queue.add('chunk', { v: 1, records: [] }, { jobId: id });
  await redis.hset(queue.toKey('job-1'), 'data', '{"v":1');
  await redis.hset(queue.toKey('job-2'), 'stacktrace', JSON.stringify(['x'.repeat(100_000)]));
  const { jobs } = (await get('/queues/api/queues?activeQueue=execution-log&status=waiting')).body.queues[0];
  expect(Object.fromEntries(jobs.map(({ id, data }: { id: string; data: unknown }) => [id, data]))).toEqual({
    'job-1': { bytes: 6, notShown: "the job's data of 6 B is not JSON" },
    'job-2': { v: 1, recordCount: 0, records: [] },
  });
  expect((await get('/queues/api/queues/execution-log/job-3')).status).toBe(404);
  expect((await ask('GET', '/queues/api/queues/execution-log/job-2')).body.job).toMatchObject({
    stacktrace: [],
    opts: {},
  });
});

test('Bull Board: readers look, operators change things, and only an operator’s token shows what is private', async () => {
  const { ask, get, namespace } = await aConsole(allTokens);
  const queue = openQueue(namespace);
  await queue.add('chunk', { v: 1, records: [{ strategyId: 's', input: 'private' }] }, { jobId: 'job-1' });
  const job = '/queues/api/queues/execution-log/job-1';
  const list = '/queues/api/queues?activeQueue=execution-log&status=waiting';

  for (const url of [job, list]) {
    expect((await get(url, readToken)).text).not.toContain('private');
    expect((await get(url, operatorToken)).text).toContain('private');
  }
  expect((await get(list, readToken)).body.queues[0].readOnlyMode).toBe(true);
  expect((await get(list, operatorToken)).body.queues[0].readOnlyMode).toBe(false);
  for (const flow of [`${job}/flow`, `${job}/flo%77`, job.replace('/queues/api', '/%71ueues/%61pi').concat('/flow')])
    expect((await get(flow, readToken)).status, flow).toBe(403);

  expect((await ask('PUT', '/queues/api/queues/execution-log/pause', { token: readToken })).status).toBe(403);
  expect(await queue.isPaused()).toBe(false);
  expect((await ask('PUT', '/queues/api/queues/execution-log/pause', { token: operatorToken })).status).toBe(200);
  expect(await queue.isPaused()).toBe(true);
});

test('Bull Board: a compressed job is shown as its records, as far as a page may read, and no private part of them', async () => {
  const { get, namespace, redis } = await aConsole();
  const queue = openQueue(namespace);
  const add = async (jobId: string, data: string) => {
    await queue.add('chunk', {}, { jobId });
    await redis.hset(queue.toKey(jobId), 'data', data);
  };
  const chunkOf = (input: string) =>
    `{"v":1,"producer":"p-1","epoch":5,"life":"a1","seq":7,"records":[{"strategyId":"s","input":"${input}"}]}`;
  await add('job-1', compressed(chunkOf(filler)));
  await add('job-2', compressed(chunkOf('their input'.repeat(500_000))));
  await add('job-3', compressed(chunkOf(filler)).replace(/"bytes":\d+/, '"bytes":1024'));
  const { jobs } = (await get('/queues/api/queues?activeQueue=execution-log&status=waiting')).body.queues[0];
  const shown = Object.fromEntries(jobs.map(({ id, data }: { id: string; data: unknown }) => [id, data]));
  expect(shown).toEqual({
    'job-1': {
      ...{ v: 1, producer: 'p-1', epoch: 5, life: 'a1', seq: 7, recordCount: 1 },
      records: [{ strategyId: 's', input: `hidden: text of ${filler.length} characters` }],
    },
    'job-2': {
      ...{ v: 3, producer: 'p-1', epoch: 5, seq: 7, bytes: expect.any(Number) },
      notShown: "the job's data of 5.2 MiB is too large to be shown here",
    },
    'job-3': {
      ...{ v: 3, producer: 'p-1', epoch: 5, seq: 7, bytes: expect.any(Number) },
      notShown: expect.stringMatching(/ cannot be decompressed$/),
    },
  });
});
