import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRedisCluster } from '../../../dev/servers/redis-cluster.ts';
import type { Finding } from '../../../doctor/finding.ts';
import { runChecks } from '../../../doctor/run-checks.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDirectory } from '../../support/fixtures.ts';
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
