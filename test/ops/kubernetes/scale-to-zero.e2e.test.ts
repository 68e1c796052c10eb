import { Registry } from 'prom-client';
import { expect, inject, test } from 'vitest';
import { createExecutionObserver, executionObserverOptionsFrom } from '../../../producers/index.ts';
import { aConsole, allTokens, readToken } from '../../support/a-console.ts';
import { anExecution } from '../../support/execution.ts';
import { openQueue, until } from '../../support/fixtures.ts';
import { calmLocks, startWorkerProcess } from '../../support/worker-process.ts';

test('scale to zero: what is recorded while no worker runs wakes one, and is stored once, time and again', async () => {
  const { client, databaseUrl, get, namespace, start } = await aConsole(allTokens);
  start();
  const redisUrl = inject('redisUrl');
  const queue = openQueue(namespace);
  const scaling = async () => (await get('/api/v1/scaling', readToken)).body;
  const stored = async () => Number((await client.query('select count(*) from strategy_execution_log')).rows[0]?.count);

  for (const round of [1, 2, 3]) {
    // A service comes and goes, and only Redis has its records then.
    const observer = createExecutionObserver({
      ...executionObserverOptionsFrom({
        REDIS_URL: redisUrl,
        SLUICE_NAMESPACE: namespace,
        DSL_EXECUTION_LOG_SAMPLE_RATE: '1',
      }),
      registry: new Registry(),
    });
    for (let index = 0; index < 1_000; index += 1) observer.record(anExecution());
    expect(await observer.close({ timeoutMs: 30_000 })).toMatchObject({ unflushed: 0 });
    // As KEDA reads it: more than 0 is what it starts the first worker for.
    const asleep = await until(async () => {
      const answer = await scaling();
      return answer.minWorkers > 0 && answer.backlogSeconds > 0 && answer;
    });
    expect(asleep.queues[0]).toMatchObject({ queue: 'execution-log', workers: 0, minWorkers: 1 });

    const worker = await startWorkerProcess({ databaseUrl, redisUrl, namespace }, calmLocks);
    await until(async () => (await stored()) === round * 1_000);
    // The service's last report is a job, too.
    await until(async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) === 0);
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  }
  expect(await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')).toEqual({
    waiting: 0,
    active: 0,
    delayed: 0,
    failed: 0,
  });
  const { rows } = await client.query('select count(*), count(distinct id) as ids from strategy_execution_log');
  expect(rows).toEqual([{ count: '3000', ids: '3000' }]);
}, 180_000);
