import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../producers/index.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { targetOf } from '../../support/redis-target.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

async function setUp() {
  const { url: redisUrl } = await startFragileRedis();
  const namespace = createNamespace();
  const databaseUrl = await createTestDatabase();
  const worker = await startWorkerProcess({ databaseUrl, redisUrl, namespace }, { SLUICE_STUCK_AFTER_MS: '60000' });
  const admin = createRedis(targetOf(redisUrl), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  const probe = async (path: 'readyz' | 'healthz'): Promise<{ status: number; reason?: string }> => {
    const response = await fetch(`${worker.url}/${path}`);
    return { ...((await response.json()) as { reason?: string }), status: response.status };
  };
  return { redisUrl, namespace, databaseUrl, admin, probe };
}

test.each([
  [
    'rights are missing',
    [['ACL', 'SETUSER', 'default', '-evalsha', '-eval']],
    [['ACL', 'SETUSER', 'default', '+@all']],
    /NOPERM \(evalsha\): .* lacks a permission/,
  ],
  [
    'replicas are missing',
    [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
    [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
    /NOREPLICAS: /,
  ],
  [
    'a key of the queue has the wrong type',
    [['SET', '{NS:execution-log}:execution-log:active', 'x']],
    [['DEL', '{NS:execution-log}:execution-log:active']],
    /WRONGTYPE: a key of the queue has the wrong type/,
  ],
])(
  'readyz: while %s, it says what Redis refuses and what to do, and is ok again by itself',
  async (_what, bringAbout, mend, expected) => {
    const { admin, namespace, probe } = await setUp();
    expect(await probe('readyz')).toMatchObject({ status: 200 });
    const call = async (commands: string[][]): Promise<void> => {
      for (const [command = '', ...args] of commands)
        await admin.call(command, ...args.map((arg) => arg.replace('NS', namespace))).catch(() => undefined);
    };
    await call(bringAbout);
    const refused = await until(async () => {
      const answer = await probe('readyz');
      return answer.status === 503 && /Redis refuses a command that the worker needs/.test(answer.reason ?? '')
        ? answer
        : null;
    });
    expect(refused.reason).toMatch(expected);
    expect(await probe('healthz')).toMatchObject({ status: 200 });
    await call(mend);
    await until(async () => (await probe('readyz')).status === 200);
  },
);

test('a job without a time of its own is worked on like any other', async () => {
  const { admin, databaseUrl, namespace, redisUrl } = await setUp();
  const queue = openQueue(namespace, redisUrl);
  const client = await connect(databaseUrl);
  const observer = createExecutionObserver({
    redisUrl,
    namespace,
    producer: { sampleRate: 1 },
    registry: new Registry(),
  });
  await queue.pause();
  observer.record(anExecution());
  await observer.close();
  const [job] = await queue.getWaiting();
  await admin.hset(queue.toKey(job?.id ?? ''), 'timestamp', 'yesterday');
  await queue.resume();
  await until(async () => (await client.query('select 1 from strategy_execution_log')).rowCount === 1);
  await until(async () => (await queue.getJobCountByTypes('waiting', 'active', 'failed')) === 0);
});
