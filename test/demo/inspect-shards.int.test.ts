import { expect, inject, onTestFinished, test } from 'vitest';
import { createInspector } from '../../demo/executions/inspect-executions.ts';
import { createRequestInspector } from '../../demo/requests/inspect-requests.ts';
import { jobName, type ShardName } from '../../shared/contracts/queues.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { createNamespace, createTestDatabase, openQueue } from '../support/fixtures.ts';
import { connectRedis } from '../support/health.ts';

test('inspector: records that are in any shard are in flight', async () => {
  const namespace = createNamespace();
  const database = createDatabase(loadConfig({ DATABASE_URL: await createTestDatabase() }).database, 'test');
  onTestFinished(() => database.$disconnect());
  const place = { database, redis: connectRedis(), namespace, producer: 'demo' };
  const add = (shard: ShardName, jobId: string, records: object[]) =>
    openQueue(namespace, inject('redisUrl'), shard).add(jobName, { producer: 'demo', records }, { jobId });
  await add('execution-log', 'demo.1.1', [{}]);
  await add('execution-log-3', 'demo.1.2', [{}, {}]);
  await add('completed-request', 'demo.1.1', [{ requestId: 'a' }]);
  await add('completed-request-1', 'demo.1.2', [{ requestId: 'b' }]);

  const executions = createInspector({ ...place, realms: ['acme'] });
  onTestFinished(executions.close);
  expect(await executions.inspect()).toMatchObject({ inFlight: 3, dead: 0, stored: 0 });
  const requests = createRequestInspector({ ...place, creators: ['somebody'] });
  onTestFinished(requests.close);
  expect(await requests.openJobs()).toBe(2);
  expect([...(await requests.inspect()).inFlight]).toEqual([
    ['a', 1],
    ['b', 1],
  ]);
});
