import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../producers/index.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { aClockOfANewMinute } from '../../support/new-minute.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { targetOf } from '../../support/redis-target.ts';
import { startWorker } from '../../support/worker.ts';

/** Keys that BullMQ names when it takes a job or fails one. Only to complete one it needs another: `completed`. */
const allButCompleted = [
  ...'wait paused meta id delayed active events marker failed prioritized pc limiter'.split(' '),
  ...'stalled stalled-check waiting-children repeat'.split(' '),
  '',
  '*.1',
  '*.1:lock',
  // What lets scripts run while Redis is full.
  '*:none',
].map((key) => `~*:${key}`);

test('worker: a job whose acknowledgement Redis refuses for a while is completed in the end, never failed', async () => {
  const { url: redisUrl } = await startFragileRedis();
  const namespace = createNamespace();
  const databaseUrl = await createTestDatabase();
  const worker = await startWorker(databaseUrl, namespace, { REDIS_URL: redisUrl });
  const observer = createExecutionObserver({
    redisUrl,
    namespace,
    producer: { sampleRate: 1 },
    registry: new Registry(),
    now: aClockOfANewMinute(),
  });
  const client = await connect(databaseUrl);
  const queue = openQueue(namespace, redisUrl);
  const admin = createRedis(targetOf(redisUrl), { role: 'producer', name: 'test', logger: null });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
    admin.disconnect();
  });
  await queue.pause();
  for (let index = 0; index < 10; index += 1) observer.record(anExecution());
  await observer.drain();

  await admin.connect();
  await admin.call('acl', 'setuser', 'default', 'resetkeys', ...allButCompleted);
  await queue.resume();
  await until(async () => (await client.query('select 1 from strategy_execution_log')).rowCount === 10);
  await until(async () =>
    ((await admin.call('acl', 'log')) as unknown[]).flat().some((key) => /:completed$/.test(String(key))),
  );
  await admin.call('acl', 'setuser', 'default', '~*');

  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === 1);
  expect(await queue.getJobCounts('waiting', 'active', 'failed')).toEqual({ waiting: 0, active: 0, failed: 0 });
});
