import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../producers/index.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { targetOf } from '../../support/redis-target.ts';
import { startWorker } from '../../support/worker.ts';

/** Stuck after a second: the shortest that can be set. */
const impatient = { SLUICE_STUCK_AFTER_MS: '1000', SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300' };
const looksMs = 1_000 / 5;

async function recordSome(namespace: string, count: number, redisUrl = inject('redisUrl')): Promise<void> {
  const observer = createExecutionObserver({
    redisUrl,
    namespace,
    producer: { sampleRate: 1 },
    registry: new Registry(),
  });
  onTestFinished(async () => {
    await observer.close({ timeoutMs: 0 });
  });
  for (let index = 0; index < count; index += 1) observer.record(anExecution());
  await observer.drain();
}

/** Every answer of the worker during twice the time after which it could be found stuck. */
async function answersOf(worker: { livenessFailure(): string | null }): Promise<Set<string | null>> {
  const answers = new Set<string | null>();
  const until = performance.now() + 2_000 + 2 * looksMs;
  while (performance.now() < until) {
    answers.add(worker.livenessFailure());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return answers;
}

/** All keys of a queue that are named here, but the one of its rate limit, which BullMQ asks before it takes a job. */
const allButTheLimiter = [
  ...'wait paused meta id completed delayed active events marker failed prioritized pc'.split(' '),
  ...'stalled stalled-check waiting-children repeat'.split(' '),
  // The prefix alone, which scripts are given, and the only job.
  '',
  '*.1',
  // What lets scripts run while Redis is full.
  '*:none',
].map((key) => `~*:${key}`);

test('liveness: a worker that takes none of the jobs that wait, while all servers answer, is stuck', async () => {
  const namespace = createNamespace();
  const databaseUrl = await createTestDatabase();
  const worker = await startWorker(databaseUrl, namespace, impatient);
  const client = await connect(databaseUrl);
  const queue = openQueue(namespace);
  const admin = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  // Jobs that nobody is woken for: BullMQ sleeps for five seconds, and now and then they end just then.
  let reason: string | null = null;
  let recorded = 0;
  while (reason === null && recorded < 200) {
    await queue.pause();
    await recordSome(namespace, 10);
    recorded += 10;
    await admin.hdel(queue.toKey('meta'), 'paused');
    await until(async () => {
      reason ??= worker.livenessFailure();
      return (await client.query('select 1 from strategy_execution_log')).rowCount === recorded;
    });
  }
  expect(reason).toMatch(/^stuck: jobs are waiting and PostgreSQL answers, but nothing/);
  await until(() => worker.livenessFailure() === null);
});

test('liveness: a Redis that refuses is no reason, and is not asked as fast as it can be', async () => {
  const { url: redisUrl } = await startFragileRedis();
  const namespace = createNamespace();
  await recordSome(namespace, 10, redisUrl);
  const admin = createRedis(targetOf(redisUrl), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  await admin.call('acl', 'setuser', 'default', 'resetkeys', ...allButTheLimiter);
  const databaseUrl = await createTestDatabase();
  const worker = await startWorker(databaseUrl, namespace, { ...impatient, REDIS_URL: redisUrl });
  expect(await answersOf(worker)).toEqual(new Set([null]));
  expect(worker.notReadyReason()).toMatch(/^Redis refuses a command that the worker needs to take jobs: NOPERM/);

  await admin.call('acl', 'setuser', 'default', '~*');
  await until(() => worker.notReadyReason() === null);
  const client = await connect(databaseUrl);
  await until(async () => (await client.query('select 1 from strategy_execution_log')).rowCount === 10);
  // By key: the eighth field of an entry of the log.
  const refusals = (await admin.call('acl', 'log')) as [string, number, ...string[]][];
  const takings = refusals.filter(([, , , , , , , key]) => key?.endsWith(':limiter')).map(([, count]) => count);
  expect(takings.reduce((sum, count) => sum + count, 0)).toBeLessThan(100);
});

test('liveness: an idle queue is no reason', async () => {
  const worker = await startWorker(await createTestDatabase(), createNamespace(), impatient);
  expect(await answersOf(worker)).toEqual(new Set([null]));
});

test('liveness: neither is a queue that an operator has paused', async () => {
  const namespace = createNamespace();
  await openQueue(namespace).pause();
  const worker = await startWorker(await createTestDatabase(), namespace, impatient);
  await recordSome(namespace, 10);
  expect(await answersOf(worker)).toEqual(new Set([null]));
});

test('liveness: neither is a table that somebody has locked', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const worker = await startWorker(databaseUrl, namespace, impatient);
  const client = await connect(databaseUrl);
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');
  await recordSome(namespace, 10);
  expect(await answersOf(worker)).toEqual(new Set([null]));
  await client.query('rollback');
  await until(async () => (await client.query('select 1 from strategy_execution_log')).rowCount === 10);
});
