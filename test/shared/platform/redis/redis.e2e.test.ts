import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../../producers/index.ts';
import { jobName } from '../../../../shared/contracts/queues.ts';
import { createNamespace, createTestDatabase, openQueue, until } from '../../../support/fixtures.ts';
import { startSluice } from '../../../support/fleet.ts';
import { startProducer } from '../../../support/producer.ts';

/** The keys of a namespace in database 0. */
async function keysInFirstDatabase(namespace: string): Promise<string[]> {
  const redis = new Redis(inject('redisUrl'));
  onTestFinished(() => redis.disconnect());
  return redis.keys(`{${namespace}:*`);
}

/** How many SELECTs the server has refused so far. */
async function refusedSelects(): Promise<number> {
  const redis = new Redis(inject('redisUrl'));
  const stats = await redis.info('commandstats');
  redis.disconnect();
  return Number(/^cmdstat_select:.*failed_calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

/** The server's URL with another database in it. */
function withDatabase(number: string): string {
  const url = new URL(inject('redisUrl'));
  url.pathname = `/${number}`;
  return url.href;
}

test('producer: a database that the server does not have takes nothing, is told of, and does not end the process', async () => {
  const namespace = createNamespace();
  const producer = startProducer({
    REDIS_URL: withDatabase('99'),
    SLUICE_NAMESPACE: namespace,
    TEST_RECORDS: '100',
  });
  // Some failures: the connection has been made anew in between.
  await until(() => producer.stderr.filter((line) => line.includes('could not be added')).length >= 3);
  expect(producer.stderr.join('\n')).toContain('DB index is out of range');
  expect(producer.last).toMatchObject({ recorded: 100, sent: 0, buffered: 100 });
  expect(await keysInFirstDatabase(namespace)).toEqual([]);

  producer.kill('SIGTERM');
  expect(await producer.ended).toBe(0);
  expect(producer.last).toMatchObject({ dropped: 100, closed: { flushed: 0, unflushed: 100 } });
  expect(await keysInFirstDatabase(namespace)).toEqual([]);
});

test('producer: a database that the server has gets the records', async () => {
  const namespace = createNamespace();
  const producer = startProducer({ REDIS_URL: withDatabase('3'), SLUICE_NAMESPACE: namespace, TEST_RECORDS: '10' });
  await until(() => producer.last?.sent === 10);
  const redis = new Redis(withDatabase('3'));
  onTestFinished(() => redis.disconnect());
  const keys = await redis.keys(`{${namespace}:*`);
  expect(keys.length).toBeGreaterThan(0);
  await redis.del(...keys);
  expect(await keysInFirstDatabase(namespace)).toEqual([]);
});

test('worker: while the server does not have its database it says why, is not ready, takes no jobs, and stops when asked to', async () => {
  const namespace = createNamespace();
  const worker = await startSluice(['worker', 'execution-log'], {
    DATABASE_URL: await createTestDatabase(),
    REDIS_URL: withDatabase('99'),
    SLUICE_NAMESPACE: namespace,
    SLUICE_WORKER_PORT: '0',
  });
  await until(() => worker.stdout.some((line) => line.includes('DB index is out of range')));
  const url = worker.stdout.flatMap((line) => (line.includes('worker is up') ? [String(JSON.parse(line).url)] : []))[0];
  await until(async () => (await fetch(`${url}/readyz`)).status === 503);

  const queue = openQueue(namespace);
  await queue.add(jobName, { v: 1, producer: 'p', epoch: 1, seq: 1, records: [] });
  const refusedBefore = await refusedSelects();
  await until(async () => (await refusedSelects()) >= refusedBefore + 2);
  expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 1, active: 0 });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
});

test.each(['/abc', '/1abc', '?db=abc', '%zz'])('observer: a Redis URL that ends in %j is refused at once', (end) => {
  const create = () =>
    createExecutionObserver({
      redisUrl: end === '%zz' ? 'redis://:s3cret%zz@host' : `redis://:s3cret@host${end}`,
      registry: new Registry(),
      logger: { warn: () => undefined },
    });
  expect(create).toThrow(RangeError);
  expect(create).toThrow(/^invalid Redis URL \(not shown\); accepted: /);
});
