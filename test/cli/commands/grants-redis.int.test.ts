import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { grantRedisLines } from '../../../cli/commands/grant-redis-lines.ts';
import { changeQueue } from '../../../cli/commands/queues/change-queue.ts';
import { startRedisCluster } from '../../../dev/servers/redis-cluster.ts';
import { createExecutionObserver } from '../../../producers/index.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { findShards } from '../../../shared/platform/redis/find-shards.ts';
import { readQueue } from '../../../shared/platform/redis/read-queue.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { createCompletedRequest } from '../../../workers/completed-requests/role.ts';
import { createHealthEvents } from '../../../workers/health-events/role.ts';
import { createMaintenance } from '../../../workers/maintenance/role.ts';
import { anExecution } from '../../support/execution.ts';
import { fillShards } from '../../support/filled-shards.ts';
import { connect, createDirectory, createTestDatabase, until } from '../../support/fixtures.ts';
import { addEvents } from '../../support/health.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { redisSettings, standFor, targetOf } from '../../support/redis-target.ts';
import { startRole, startWorker } from '../../support/worker.ts';

const namespace = 'sluice-test';
const users = { producer: 'p', worker: 'w', console: 'c' };

/** A server or a cluster: what leads there as a user, and connections of its administrator to each server. */
async function aServer() {
  const { url } = await startFragileRedis();
  const admin = createRedis(targetOf(url), { role: 'consumer', name: 'admin', logger: null });
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  const as = (user: string): Record<string, string> => {
    const own = new URL(url);
    own.username = user;
    own.password = 'PASSWORD';
    return { REDIS_URL: own.href };
  };
  return { as, admins: [admin] };
}

async function aCluster() {
  const cluster = await startRedisCluster({
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'cluster'),
  });
  onTestFinished(cluster.stop);
  const as = (user: string): Record<string, string> => ({
    REDIS_CLUSTER_NODES: cluster.nodes,
    REDIS_USERNAME: user,
    REDIS_PASSWORD: 'PASSWORD',
  });
  return { as, admins: cluster.servers.map(({ client }) => client) };
}

test.each([
  ['server', aServer],
  ['cluster', aCluster],
] as const)(
  'grants redis: with the lines for a %s every role does its work, and nothing is refused',
  async (topology, start) => {
    const { as, admins } = await start();
    const config = loadConfig({ SLUICE_NAMESPACE: namespace }, ['namespace', 'health']);
    for (const line of grantRedisLines(config, topology, users))
      for (const admin of admins) await admin.call('ACL', ...line.replace(/^ACL /, '').split(' '));
    const databaseUrl = await createTestDatabase();
    const asWorker = standFor(as('w'));
    for (const role of [createHealthEvents, createCompletedRequest, createMaintenance])
      await startRole(role, databaseUrl, namespace, { REDIS_URL: asWorker });
    const worker = await startWorker(databaseUrl, namespace, { REDIS_URL: asWorker });
    const observer = createExecutionObserver({
      redis: redisSettings(standFor(as('p'))),
      namespace,
      producer: { sampleRate: 1, memoryShare: 0.8 },
      registry: new Registry(),
    });
    for (let index = 0; index < 20; index += 1) observer.record(anExecution());
    expect(await observer.close()).toMatchObject({ flushed: 20, unflushed: 0 });

    const redis = createRedis(targetOf(standFor(as('c'))), { role: 'consumer', name: 'console', logger: null });
    onTestFinished(() => redis.disconnect());
    await redis.connect();
    await addEvents(redis as never, config.health.stream, [{ game_id: 'nobody' }]);
    const client = await connect(databaseUrl);
    await until(async () => (await client.query('select 1 from strategy_execution_log')).rowCount === 20);
    await until(async () => (await client.query(`select 1 from stream_offset where last_id <> '0-0'`)).rowCount === 1);
    await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) > 0);
    // The producer's report is a job of its own, and may be at work still.
    await until(async () => {
      const { waiting, active } = await readQueue(redis, { queue: 'execution-log', namespace });
      return waiting + active === 0;
    });

    // Shards are queues of the same namespace.
    await fillShards(namespace, [0, 1], { redisUrl: standFor(as('p')) });
    expect(await findShards(redis, { queue: 'execution-log', namespace })).toEqual([
      'execution-log',
      'execution-log-1',
    ]);
    const paused = await changeQueue(redis, { queue: 'execution-log', namespace, change: 'pause' });
    expect(paused).toMatchObject({ paused: true, unchanged: [] });

    for (const admin of admins) expect(await admin.call('ACL', 'LOG')).toEqual([]);
  },
);

test('grants redis: names and streams that are patterns stand for themselves, and Sentinels have a line of their own', () => {
  const config = loadConfig({ SLUICE_NAMESPACE: 'n', SLUICE_HEALTH_STREAM: 'a*[b]' }, ['namespace', 'health']);
  const lines = grantRedisLines(config, 'sentinel', users);
  expect(lines[1]).toContain(String.raw`~{n:* ~a\*\[b\] `);
  expect(lines.at(-1)).toMatch(/^ACL SETUSER sluice on >PASSWORD .*\+sentinel\|get-master-addr-by-name/);
});
