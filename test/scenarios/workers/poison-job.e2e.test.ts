import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createBullmqTransport } from '../../../producers/core/transport.ts';
import { createExecutionObserver } from '../../../producers/index.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { type SluiceProcess, startSluice } from '../../support/fleet.ts';
import { aClockOfANewMinute } from '../../support/new-minute.ts';
import { targetOf } from '../../support/redis-target.ts';

const maxStarts = 2;

/** Starts a worker again whenever it has died, as a fleet does; counts the deaths. */
function keepAlive(environment: Record<string, string>) {
  let deaths = 0;
  let isOver = false;
  let current: SluiceProcess | null = null;
  const living = (async () => {
    while (!isOver) {
      current = await startSluice(['worker', 'execution-log'], environment);
      await current.ended;
      if (!isOver) deaths += 1;
    }
  })();
  onTestFinished(async () => {
    isOver = true;
    current?.kill('SIGKILL');
    await living;
  });
  return { deaths: () => deaths };
}

async function addJob(namespace: string, id: string, data: string): Promise<void> {
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
  const transport = createBullmqTransport({ redis, queue: 'execution-log', namespace });
  await transport.send([{ id, data }]);
  await transport.close();
}

test('worker: a job that kills its workers ends in the failed set after so many starts, and costs no other record', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  // Eight million empty lists: 24 MB of text, and about ten times as much when it is parsed.
  const killer = `{"v":1,"producer":"test","epoch":1,"seq":1,"records":[[${'[],'.repeat(8_000_000)}[]]]}`;
  await addJob(namespace, 'killer', killer);
  const observer = createExecutionObserver({
    redisUrl: inject('redisUrl'),
    namespace,
    producer: { sampleRate: 1, chunk: { maxRecords: 50, maxBytes: 1_000_000, maxWaitMs: 5 } },
    registry: new Registry(),
    now: aClockOfANewMinute(),
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  for (let index = 0; index < 1_000; index += 1) observer.record(anExecution());
  await observer.drain();

  const fleet = keepAlive({
    DATABASE_URL: databaseUrl,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: namespace,
    SLUICE_WORKER_PORT: '0',
    SLUICE_LOCK_DURATION_MS: '1000',
    SLUICE_STALLED_INTERVAL_MS: '500',
    SLUICE_POISON_JOB_MAX_STARTS: String(maxStarts),
    NODE_OPTIONS: '--max-old-space-size=120',
  });

  const queue = openQueue(namespace);
  await until(async () => (await queue.getFailedCount()) === 1);
  expect(await queue.getRanges(['failed'])).toEqual(['killer']);
  // Three times nobody suspected it, then so often it was alone. A worker may lose a job before it dies, as its lock ends
  // while memory runs short: then it is taken up more often than workers die.
  expect((await queue.getJob('killer'))?.stalledCounter).toBeGreaterThanOrEqual(3 + maxStarts);
  expect(fleet.deaths()).toBeGreaterThan(0);
  expect(fleet.deaths()).toBeLessThanOrEqual(3 + maxStarts);
  const client = await connect(databaseUrl);
  await until(async () => {
    const { rows } = await client.query('select count(*)::int as n from strategy_execution_log');
    return rows[0].n === 1_000;
  });
  await until(async () => (await queue.getJobCountByTypes('waiting', 'active')) === 0);
  expect(await queue.getFailedCount()).toBe(1);
}, 120_000);
