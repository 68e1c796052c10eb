import { createServer } from 'node:net';
import type { Queue } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { jobName } from '../../../shared/contracts/queues.ts';
import { fillShards, partByServer, startPatientCluster, stopServersOf } from '../../support/filled-shards.ts';
import { createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { createRunner } from '../../support/run-sluice.ts';

test('queues: pause, status, retry and resume, as text and as JSON', async () => {
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  await queue.add(jobName, {});
  const run = createRunner({ REDIS_URL: inject('redisUrl'), SLUICE_NAMESPACE: namespace });
  const paused = await run('queues', 'pause', 'execution-log', '--json');
  expect(paused).toMatchObject({ exitCode: 0, stderr: '' });
  expect(paused.json()).toMatchObject({ queue: 'execution-log', change: 'pause', paused: true, failedBefore: 0 });
  expect(await queue.isPaused()).toBe(true);

  const [text, json, retried] = await Promise.all([
    run('queues', 'status'),
    run('queues', 'status', '--json'),
    run('queues', 'retry', 'completed-request'),
  ]);
  expect(text.stdout).toMatch(/^queue +intake +waiting +oldest +active +delayed +failed +workers$/m);
  expect(text.stdout).toMatch(/^execution-log +paused +1 +\d+ \w+ +0 +0 +0 +0$/m);
  expect(text.stdout).toMatch(/^completed-request +open +0 +– +0 +0 +0 +0$/m);
  expect(json.json()).toMatchObject([
    { queue: 'execution-log', paused: true, waiting: 1, failed: 0, workers: 0 },
    { queue: 'completed-request', paused: false, waiting: 0, oldestWaitSeconds: null },
  ]);
  expect(retried).toMatchObject({ exitCode: 0, stdout: 'completed-request has no failed jobs' });

  expect(await run('queues', 'resume', 'execution-log')).toMatchObject({ stdout: 'execution-log resumed' });
  expect(await queue.isPaused()).toBe(false);
});

test('queues: the status of a queue is that of all its shards, each of which is shown on demand', async () => {
  const namespace = createNamespace();
  const [, second] = await fillShards(namespace, [1, 2, 0, 3]);
  await second?.pause();
  const run = createRunner({ REDIS_URL: inject('redisUrl'), SLUICE_NAMESPACE: namespace });
  const [whole, shards, json] = await Promise.all([
    run('queues', 'status'),
    run('queues', 'status', '--shards'),
    run('queues', 'status', '--shards', '--json'),
  ]);
  expect(whole).toMatchObject({ exitCode: 0, stderr: '' });
  expect(whole.stdout).toMatch(/^execution-log +partly paused +6 /m);
  expect(whole.stdout).not.toContain('execution-log-1');
  expect(shards.stdout).toMatch(
    /^execution-log +partly paused +6 .*\n {2}execution-log +open +1 .*\n {2}execution-log-1 +paused +2 /m,
  );
  expect(json.json()).toMatchObject([
    {
      queue: 'execution-log',
      waiting: 6,
      paused: false,
      pausedShards: 1,
      shards: [{}, { waiting: 2 }, { waiting: 3 }],
    },
    { queue: 'completed-request', waiting: 0, shards: [{ queue: 'completed-request' }] },
  ]);
});

test('queues: shards of a node that is away are named, the others are shown and changed, and repeating it does the rest', async () => {
  const cluster = await startPatientCluster();
  const namespace = 'lost';
  const shards = await fillShards(namespace, Array(6).fill(1), { redisUrl: cluster.redisUrl });
  const [victim] = shards as [Queue, ...Queue[]];
  const { lost, left } = await partByServer(cluster, namespace, shards, victim);
  const run = createRunner({ ...cluster.environment, SLUICE_NAMESPACE: namespace });
  const goOn = await stopServersOf(cluster, namespace, victim);
  const [status, pause] = await Promise.all([
    run('queues', 'status', '--json'),
    run('queues', 'pause', 'execution-log', '--json'),
  ]);
  expect(status.exitCode).toBe(1);
  expect(status.json()).toMatchObject([{ queue: 'execution-log' }, {}]);
  expect(status.stderr).toMatch(/^sluice: execution-log .*(is not counted|may have more shards)/m);
  expect(pause.exitCode).toBe(1);
  expect(pause.stderr).toMatch(
    /^sluice: not changed: execution-log, .* run `sluice queues pause execution-log` again$/m,
  );
  const { unchanged } = pause.json() as { unchanged: { shard: string }[] };
  expect(unchanged.map(({ shard }) => shard)).toEqual(expect.arrayContaining(lost));
  const isPaused = (names: string[]) =>
    Promise.all(shards.filter(({ name }) => names.includes(name)).map((shard) => shard.isPaused()));
  expect(new Set(await isPaused(left))).toEqual(new Set([true]));
  goOn();
  await until(async () => (await run('queues', 'pause', 'execution-log')).exitCode === 0);
  expect(new Set(await isPaused([...lost, ...left]))).toEqual(new Set([true]));
}, 120_000);

test('queues: one that there is not is a mistake of the call; a Redis that is away is told, without a secret', async () => {
  const run = createRunner({ REDIS_URL: `redis://:s3cret@127.0.0.1:${await freePort()}` });
  const [unknown, away] = await Promise.all([run('queues', 'pause', 'no-such'), run('queues', 'status')]);
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('execution-log, completed-request') });
  expect(away).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^sluice: Redis: .*ECONNREFUSED/) });
  expect(away.stderr).not.toContain('s3cret');
});

test('queues: a Redis that takes connections and says nothing is given up in time, also by other commands', async () => {
  const port = await freePort();
  const silent = createServer(() => undefined).listen(port, '127.0.0.1');
  onTestFinished(() => void silent.close());
  const run = createRunner({
    REDIS_URL: `redis://:s3cret@127.0.0.1:${port}`,
    DATABASE_URL: 'postgresql://u:s3cret@h/d',
  });
  const calls = [run('queues', 'status'), run('queues', 'pause', 'execution-log'), run('health', 'status')];
  for (const { exitCode, stderr } of await Promise.all(calls)) {
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^sluice: Redis: .*timeout/i);
    expect(stderr).not.toContain('s3cret');
  }
}, 30_000);
