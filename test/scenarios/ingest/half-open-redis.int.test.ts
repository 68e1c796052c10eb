import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../producers/index.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { startProxyTo } from '../../support/proxies.ts';
import { startWorker } from '../../support/worker.ts';

/** Longer than BullMQ waits for a job, which is five seconds. */
const silenceMs = 6_000;

test('worker: connections to Redis that have gone silent are given up, and new ones do the work', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const { proxy, url } = await startProxyTo(inject('redisUrl'));
  await startWorker(databaseUrl, namespace, { REDIS_URL: url }, { silenceMs });
  const observer = createExecutionObserver({
    redisUrl: inject('redisUrl'),
    namespace,
    producer: { sampleRate: 1 },
    registry: new Registry(),
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  const client = await connect(databaseUrl);
  const stored = async () => (await client.query('select count(*)::int as n from strategy_execution_log')).rows[0].n;
  observer.record(anExecution());
  await until(async () => (await stored()) === 1);

  proxy.blackHole();
  observer.record(anExecution());
  await until(async () => (await stored()) === 2);
  expect(observer.stats()).toMatchObject({ recorded: 2, sent: 2, dropped: 0 });
}, 40_000);
