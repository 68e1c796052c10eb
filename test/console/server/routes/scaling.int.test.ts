import { Worker } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { queuePrefix } from '../../../../shared/contracts/queues.ts';
import { aConsole } from '../../../support/a-console.ts';
import { openQueue, until } from '../../../support/fixtures.ts';
import { connectRedis } from '../../../support/health.ts';

/** A worker of a test's own queue. */
function startWorker(namespace: string): Worker {
  const connection = connectRedis(inject('redisUrl'));
  const worker = new Worker('execution-log', async () => undefined, {
    connection,
    prefix: queuePrefix('execution-log', namespace),
    removeOnComplete: { count: 0 },
  });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close());
  return worker;
}

test('scaling: one number, of the queue that is worst off, with the workers that there are', async () => {
  const { get, namespace } = await aConsole();
  const worker = startWorker(namespace);
  await worker.waitUntilReady();
  await until(async () => {
    const { body } = await get('/api/v1/queues');
    return body.queues[0].workers === 1;
  });
  await worker.pause();
  const queue = openQueue(namespace);
  await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'chunk', data: {} })));
  const { body } = await until(async () => {
    const answer = await get('/api/v1/scaling?targetSeconds=30');
    return answer.status === 200 && answer;
  });
  // Nothing was done in the last minute: three jobs at one a minute.
  expect(body).toMatchObject({ targetSeconds: 30, backlogSeconds: 180, desiredWorkers: 6 });
  expect(body.queues[0]).toMatchObject({ queue: 'execution-log', backlog: 3, workers: 1, desiredWorkers: 6 });
  expect(body.queues[1]).toMatchObject({ queue: 'completed-request', backlog: 0, backlogSeconds: 0 });

  await queue.pause();
  const paused = (await get('/api/v1/scaling?targetSeconds=30')).body;
  expect(paused).toMatchObject({ backlogSeconds: 0, desiredWorkers: 1, queues: [{ isPaused: true, backlog: 3 }, {}] });
});

test('scaling: nothing is guessed while it is not known how fast a queue moves', async () => {
  const { get, namespace } = await aConsole();
  expect((await get('/api/v1/scaling')).body).toMatchObject({ backlogSeconds: 0, desiredWorkers: 1 });
  const queue = openQueue(namespace);
  await queue.add('chunk', {});
  const { status, headers, body } = await get('/api/v1/scaling');
  expect([status, headers['retry-after']]).toEqual([503, '5']);
  expect(body.detail).toMatch(/not known yet/);
});
