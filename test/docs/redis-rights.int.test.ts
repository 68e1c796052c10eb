import { readFile } from 'node:fs/promises';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../producers/index.ts';
import { readQueue } from '../../shared/platform/redis/read-queue.ts';
import { createRedis, type Redis } from '../../shared/platform/redis/redis.ts';
import { anExecution } from '../support/execution.ts';
import { connect, createTestDatabase, until } from '../support/fixtures.ts';
import { startFragileRedis } from '../support/private-servers.ts';
import { targetOf } from '../support/redis-target.ts';
import { startWorker } from '../support/worker.ts';

const namespace = 'sluice';

async function connected(url: string, name: string): Promise<Redis> {
  const redis = createRedis(targetOf(url), { role: 'consumer', name, logger: null });
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  return redis;
}

test.each([
  ['the page names', ''],
  ['the page names, without INFO', ' -info'],
])(
  'operations: with the rights that %s, producers, workers and the console do their work, and nothing is refused',
  async (_rights, less) => {
    const text = await readFile('docs/operations.md', 'utf8');
    const lines = [...text.matchAll(/^ACL SETUSER (\S+) (.*)$/gm)];
    expect(lines.map(([, user]) => user)).toEqual(['sluice-producer', 'sluice-worker']);
    const { url } = await startFragileRedis();
    const admin = await connected(url, 'admin');
    for (const [, user = '', rules = ''] of lines)
      await admin.call('ACL', 'SETUSER', user, ...`${rules}${less}`.split(' '));
    const as = (user: string): string => {
      const own = new URL(url);
      own.username = user;
      own.password = 'PASSWORD';
      return own.href;
    };

    const databaseUrl = await createTestDatabase();
    const worker = await startWorker(databaseUrl, namespace, { REDIS_URL: as('sluice-worker') });
    const observer = createExecutionObserver({
      redisUrl: as('sluice-producer'),
      namespace,
      producer: { sampleRate: 1, memoryShare: 0.8 },
      registry: new Registry(),
    });
    for (let index = 0; index < 20; index += 1) observer.record(anExecution());
    expect(await observer.close()).toMatchObject({ flushed: 20, unflushed: 0 });
    const client = await connect(databaseUrl);
    await until(async () => (await client.query('select 1 from strategy_execution_log')).rowCount === 20);
    await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) > 0);
    const console = await connected(as('sluice-worker'), 'console');
    const read = () => readQueue(console, { queue: 'execution-log', namespace });
    // The producer's report is a job of its own, and may be at work still.
    await until(async () => {
      const { waiting, active } = await read();
      return waiting + active === 0;
    });
    expect(await read()).toMatchObject({ waiting: 0, active: 0, failed: 0 });
    await worker.stop();

    const refusals = (await admin.call('ACL', 'LOG')) as unknown[][];
    const objects = refusals.map((entry) => String(entry[entry.indexOf('object') + 1]));
    expect([...new Set(objects)]).toEqual(less === '' ? [] : ['info']);
  },
);
