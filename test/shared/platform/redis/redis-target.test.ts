import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../../producers/index.ts';
import { loadConfig, requireRedis } from '../../../../shared/platform/config/config.ts';
import { UsageError } from '../../../../shared/platform/errors.ts';
import {
  noRedis,
  parseRedisSettings,
  type RedisSettings,
  type RedisTarget,
} from '../../../../shared/platform/redis/redis-target.ts';
import { readTlsFiles } from '../../../../shared/platform/redis/redis-tls.ts';

/** What an environment leads to, or its problems. */
function read(environment: Record<string, string>): RedisTarget | string {
  try {
    return requireRedis(loadConfig(environment, ['redis']).redis);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
}

const plain = { username: null, password: null, tls: null };

test('redis target: a URL is one server, with user, password and database from elsewhere where it has none', () => {
  const environment = { REDIS_URL: 'redis://h', REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p', REDIS_DB: '3' };
  expect(read(environment)).toEqual({
    ...plain,
    topology: 'server',
    url: 'redis://h',
    username: 'u',
    password: 'p',
    db: 3,
  });
});

test('redis target: Sentinels, with what they call the primary and a password of their own', () => {
  const environment = {
    REDIS_SENTINEL_NODES: 's1:26379, [::1]:26380',
    REDIS_SENTINEL_MASTER_NAME: 'mymaster',
    REDIS_SENTINEL_PASSWORD: 'sp',
    REDIS_PASSWORD: 'p',
  };
  expect(read(environment)).toEqual({
    ...plain,
    topology: 'sentinel',
    sentinels: [
      { host: 's1', port: 26_379 },
      { host: '::1', port: 26_380 },
    ],
    masterName: 'mymaster',
    sentinelUsername: null,
    sentinelPassword: 'sp',
    password: 'p',
    db: null,
  });
});

test('redis target: a cluster, with a NAT map as ioredis takes it and TLS by files', () => {
  const environment = {
    REDIS_CLUSTER_NODES: '10.0.0.1:6379',
    REDIS_CLUSTER_NAT_MAP: '{"10.0.0.1:6379":{"host":"h","port":7000}}',
    REDIS_TLS: 'true',
    REDIS_TLS_CA_FILE: '/ca.pem',
    REDIS_TLS_SERVERNAME: 'redis.internal',
    REDIS_DB: '0',
  };
  expect(read(environment)).toEqual({
    ...plain,
    topology: 'cluster',
    nodes: [{ host: '10.0.0.1', port: 6_379 }],
    natMap: { '10.0.0.1:6379': { host: 'h', port: 7_000 } },
    tls: { caFile: '/ca.pem', certFile: null, keyFile: null, servername: 'redis.internal' },
  });
});

test('redis target: without a place, the password of another program is none of our business', () => {
  expect(loadConfig({ REDIS_PASSWORD: 'p', REDIS_TLS: 'true' }, ['redis']).redis).toMatchObject({ url: null });
  expect(read({ REDIS_PASSWORD: 'p' })).toMatch(/^REDIS_URL is not set\./);
});

test.each<[why: string, environment: Record<string, string>, problem: string]>([
  [
    'two places at once',
    { REDIS_URL: 'redis://h', REDIS_CLUSTER_NODES: 'h:1' },
    'REDIS_URL, REDIS_CLUSTER_NODES: only one of them can be set; remove the others',
  ],
  [
    'Sentinels without a name for the primary',
    { REDIS_SENTINEL_NODES: 'h:1' },
    'REDIS_SENTINEL_MASTER_NAME: is missing; set it to the name that the Sentinels monitor the primary by',
  ],
  [
    'a name for the primary without Sentinels',
    { REDIS_CLUSTER_NODES: 'h:1', REDIS_SENTINEL_MASTER_NAME: 'm' },
    'REDIS_SENTINEL_MASTER_NAME: it belongs to REDIS_SENTINEL_NODES, and REDIS_CLUSTER_NODES is set; remove it',
  ],
  [
    'a database of a cluster',
    { REDIS_CLUSTER_NODES: 'h:1', REDIS_DB: '1' },
    'REDIS_DB: a Redis Cluster has only database 0; remove it, and keep fleets apart with SLUICE_NAMESPACE',
  ],
  [
    'TLS that a URL does not ask for',
    { REDIS_URL: 'redis://h', REDIS_TLS: 'true' },
    'REDIS_TLS: the URL asks for no TLS; write rediss:// in REDIS_URL, or remove REDIS_TLS',
  ],
  [
    'a file for TLS without TLS',
    { REDIS_CLUSTER_NODES: 'h:1', REDIS_TLS_CA_FILE: '/ca.pem' },
    'REDIS_TLS_CA_FILE: it needs TLS; set REDIS_TLS to true, or remove REDIS_TLS_CA_FILE',
  ],
  [
    'a certificate without its key',
    { REDIS_URL: 'rediss://h', REDIS_TLS_CERT_FILE: '/cert.pem' },
    'REDIS_TLS_KEY_FILE: is missing; a certificate and its key are set together',
  ],
])('redis target: %s is refused, and the problem names the variable', (_why, environment, problem) => {
  expect(read(environment)).toBe(`the configuration has 1 problem:\n  ${problem}`);
});

test('redis target: what a program gives by hand is checked as the environment is, and no value is shown', () => {
  const wrong: RedisSettings = { ...noRedis, clusterNodes: 'user:s3cret@h', clusterNatMap: 's3cret', db: 2 };
  const parsed = parseRedisSettings(wrong, (setting) => `redis.${setting}`);
  const problems = 'problems' in parsed ? parsed.problems : [];
  expect(problems.map((line) => line.split(':')[0])).toEqual(['redis.clusterNodes', 'redis.clusterNatMap', 'redis.db']);
  expect(problems.join('\n')).not.toContain('s3cret');
  const observe = (redis: Partial<RedisSettings>) => () => createExecutionObserver({ redis, registry: new Registry() });
  expect(observe({ sentinelNodes: 'h:1' })).toThrow(RangeError);
  expect(observe({ sentinelNodes: 'h:1' })).toThrow(/^redis\.sentinelMasterName: is missing/);
});

test('redis target: a file for TLS that is not there, or is none, is told at once', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const empty = join(dir, 'empty.pem');
  await writeFile(empty, 'nothing of the kind');
  const tls = (caFile: string) => ({ caFile, certFile: null, keyFile: null, servername: null });
  expect(() => readTlsFiles(tls(join(dir, 'none.pem')))).toThrow(
    /^REDIS_TLS_CA_FILE: ".*none\.pem" cannot be read \(ENOENT\)/,
  );
  expect(() => readTlsFiles(tls(empty))).toThrow(/^REDIS_TLS_CA_FILE: ".*empty\.pem" holds no certificate/);
  const observe = () =>
    createExecutionObserver({
      redis: { clusterNodes: 'h:1', tls: true, tlsCaFile: empty },
      registry: new Registry(),
    });
  expect(observe).toThrow(UsageError);
});
