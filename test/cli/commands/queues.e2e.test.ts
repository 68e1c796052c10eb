import { createServer } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { jobName } from '../../../shared/contracts/queues.ts';
import { createNamespace, openQueue } from '../../support/fixtures.ts';
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
