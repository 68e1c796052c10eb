import { join } from 'node:path';
import type { Queue } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRedisCluster } from '../../../dev/servers/redis-cluster.ts';
import type { Finding } from '../../../doctor/finding.ts';
import { runChecks } from '../../../doctor/run-checks.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { fillShards, partByServer, startPatientCluster, stopServersOf } from '../../support/filled-shards.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { startSentinels } from '../../support/redis-sentinels.ts';

async function look(environment: Record<string, string>): Promise<(check: string) => Finding | undefined> {
  const { findings } = await runChecks(loadConfig(environment), {});
  return (check) => findings.find((finding) => finding.subject === 'redis' && finding.check === check);
}

test('doctor: behind Sentinels the primary is looked at; a Sentinel given as a server, and a wrong name, are told', async () => {
  const set = await startSentinels({ binary: inject('redisBinary'), dir: join(await createDirectory(), 'sentinels') });
  onTestFinished(set.stop);
  const right = await look(set.environment);
  expect(right('role')).toMatchObject({ level: 'ok', message: 'primary' });

  const url = `redis://:${set.environment['REDIS_SENTINEL_PASSWORD']}@127.0.0.1:${set.sentinels[0]?.port}`;
  const asServer = await look({ REDIS_URL: url });
  expect(asServer('role')).toMatchObject({ level: 'failure', message: expect.stringContaining('a Sentinel') });
  expect(asServer('role')?.remedy).toContain('REDIS_SENTINEL_NODES');

  const misnamed = await look({ ...set.environment, REDIS_SENTINEL_MASTER_NAME: 'other' });
  expect(misnamed('connection')).toMatchObject({ level: 'failure' });
  expect(misnamed('connection')?.remedy).toContain('REDIS_SENTINEL_MASTER_NAME');
});

test('doctor: of a cluster every primary is looked at; one of its nodes given as a server is told', async () => {
  const cluster = await startRedisCluster({
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'cluster'),
  });
  onTestFinished(cluster.stop);
  const right = await look(cluster.environment);
  expect(right('connection')).toMatchObject({ level: 'ok' });
  expect(right('role')).toMatchObject({ level: 'ok', message: 'primary of a cluster; the same on all 3 primaries' });
  await cluster.servers[1]?.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const evicting = await look(cluster.environment);
  expect(evicting('eviction')).toMatchObject({
    level: 'warning',
    message: expect.stringContaining(`127.0.0.1:${cluster.servers[1]?.port}: maxmemory-policy is allkeys-lru`),
  });

  const asServer = await look({ REDIS_URL: cluster.url });
  expect(asServer('role')).toMatchObject({ level: 'warning', message: expect.stringContaining('MOVED') });
  expect(asServer('role')?.remedy).toContain('REDIS_CLUSTER_NODES');
});

test('doctor: of a cluster it is told how the shards are spread, and which are on a node that is away', async () => {
  const cluster = await startPatientCluster();
  const namespace = 'sluice';
  const shards = await fillShards(namespace, Array(8).fill(1), { redisUrl: cluster.redisUrl });
  const [victim] = shards as [Queue, ...Queue[]];
  const { lost, left } = await partByServer(cluster, namespace, shards, victim);
  const lookAtQueue = async () => {
    const { findings } = await runChecks(loadConfig({ ...cluster.environment, SLUICE_QUEUE_SHARDS: '8' }), {});
    return (check: string) =>
      findings.find((finding) => finding.subject === 'queue execution-log' && finding.check === check);
  };
  const before = await lookAtQueue();
  expect(before('shards')).toMatchObject({ level: 'ok', message: expect.stringMatching(/^8 on [23] of 3 servers$/) });
  expect(before('backlog')?.message).toContain('8 jobs wait');
  const goOn = await stopServersOf(cluster, namespace, victim);
  // The node that its client asks for the others may be the one that is away.
  const during = await until(async () => {
    const look = await lookAtQueue();
    return look('jobs') !== undefined && look;
  });
  goOn();
  expect(during('jobs')).toMatchObject({
    level: 'failure',
    message: expect.stringContaining('more shards do not answer'),
  });
  expect(during('backlog')?.message).toContain(`${left.length} jobs wait`);
  expect(lost.length).toBeGreaterThan(0);
});
