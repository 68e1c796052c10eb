import { expect, test } from 'vitest';
import type { Answer } from '../../../doctor/answer.ts';
import { checkRedis, checkRedisConnection } from '../../../doctor/redis/check-redis.ts';
import type { RedisFacts } from '../../../doctor/redis/redis-facts.ts';
import { parseRedisInfo, type RedisServer } from '../../../doctor/redis/redis-info.ts';
import { findingOf } from '../../support/finding-of.ts';

const gib = 1_024 ** 3;
const forbidden = { known: false, code: 'NOPERM', why: 'NOPERM this user may not' } as const;

function judge(server: Partial<RedisServer>, savePoints: Answer<string> = { known: true, value: '' }) {
  const facts: RedisFacts = {
    name: 'host:6379',
    server: {
      known: true,
      value: {
        ...parseRedisInfo('redis_version:7.0.15\nrole:master'),
        usedMemoryBytes: gib,
        maxMemoryBytes: 4 * gib,
        maxMemoryPolicy: 'noeviction',
        evictedKeys: 0,
        appendOnly: true,
        replicas: 0,
        connectedClients: 5,
        maxClients: 10_000,
        ...server,
      },
    },
    savePoints,
    clock: { known: true, value: { askedAtMs: 0, answeredAtMs: 1, serverMs: 0 } },
    clientNames: { known: true, value: [] },
  };
  return checkRedis([facts], { memoryShare: 0.8, topology: 'server' });
}

test('redis: a server as it should be has nothing but ok', () => {
  expect(judge({}).filter(({ level }) => level !== 'ok')).toEqual([]);
});

const cases: [check: string, level: string, says: string, server: Partial<RedisServer>, saves?: Answer<string>][] = [
  ['version', 'failure', 'refuses', { version: '4.0.14' }],
  ['version', 'warning', '6.2.0 or later', { version: '6.0.20' }],
  ['version', 'ok', 'Redis 6.2.0', { version: '6.2.0' }],
  ['version', 'ok', 'Redis 8.0.1', { version: '8.0.1' }],
  ['version', 'ok', 'Valkey 7.2.5', { product: 'Valkey', version: '7.2.5' }],
  ['version', 'warning', 'Dragonfly 1.27.1', { product: 'Dragonfly', version: '1.27.1' }],
  ['version', 'warning', 'does not identify itself', { product: null, version: null }],
  ['role', 'failure', 'REDIS_URL to the primary', { role: 'slave' }],
  ['role', 'warning', 'Cluster', { isClusterNode: true }],
  ['role', 'ok', 'primary', { role: null }],
  ['eviction', 'failure', 'allkeys-lru', { maxMemoryPolicy: 'allkeys-lru' }],
  ['eviction', 'failure', 'volatile-ttl', { maxMemoryPolicy: 'volatile-ttl', maxMemoryBytes: null }],
  ['eviction', 'warning', 'once maxmemory is set', { maxMemoryPolicy: 'allkeys-lru', maxMemoryBytes: 0 }],
  ['eviction', 'warning', '12 keys', { evictedKeys: 12 }],
  ['eviction', 'warning', 'does not report', { maxMemoryPolicy: null }],
  ['memory', 'ok', '1.0 GiB used, no maxmemory', { maxMemoryBytes: 0 }],
  ['memory', 'ok', '80 %', { usedMemoryBytes: 0.8 * gib, maxMemoryBytes: gib }],
  ['memory', 'warning', '81 %', { usedMemoryBytes: 0.811 * gib, maxMemoryBytes: gib }],
  ['memory', 'warning', '95 %', { usedMemoryBytes: 0.95 * gib, maxMemoryBytes: gib }],
  ['memory', 'failure', '96 %', { usedMemoryBytes: 0.961 * gib, maxMemoryBytes: gib }],
  ['memory', 'warning', 'does not report', { usedMemoryBytes: null }],
  ['persistence', 'failure', 'the last snapshot failed', { failedWrites: ['the last snapshot'] }],
  ['persistence', 'failure', 'loses every waiting job', { appendOnly: false }],
  ['persistence', 'warning', 'replica takes over', { appendOnly: false, replicas: 1 }],
  ['persistence', 'warning', '3600 1', { appendOnly: false }, { known: true, value: '3600 1' }],
  ['persistence', 'warning', 'could not check whether snapshots are made (NOPERM', { appendOnly: false }, forbidden],
  ['persistence', 'ok', 'append-only', {}, forbidden],
  ['persistence', 'warning', 'does not report', { appendOnly: null }],
  ['connections', 'ok', '9000 of 10000', { connectedClients: 9_000 }],
  ['connections', 'warning', '9001 of 10000', { connectedClients: 9_001 }],
];

test.for(cases)('redis: %s is a(n) %s that says "%s", given %o', ([check, level, says, server, saves]) => {
  const finding = findingOf(judge(server, saves), check);
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});

test('redis: where INFO is forbidden memory is not seen, and the clock is judged all the same', () => {
  const facts = { server: forbidden, savePoints: forbidden, clock: forbidden, clientNames: forbidden };
  const findings = checkRedis([{ name: 'host:6379', ...facts }], { memoryShare: 0.8, topology: 'server' });
  expect(findingOf(findings, 'server')).toMatchObject({ level: 'warning' });
  expect(findingOf(findings, 'server').text).toContain('ACL SETUSER');
  expect(findingOf(findings, 'clock').level).toBe('warning');
});

test.for([
  ['ECONNREFUSED', 'start the server'],
  ['ENOTFOUND', 'correct the host'],
  ['WRONGPASS', 'user and password'],
  ['NOAUTH', 'add the password'],
  ['timeout', 'hangs'],
  ['ERR', 'the database number'],
  ['ESOMETHING', 'REDIS_URL'],
])('redis: a connection that ends with %s is a failure whose remedy says "%s"', ([code, says]) => {
  const finding = checkRedisConnection({ known: false, code: code ?? '', why: 'reason' });
  expect(finding).toMatchObject({ check: 'connection', level: 'failure', message: 'Redis cannot be used: reason' });
  expect(finding.remedy).toContain(says);
});

test('redis: a server that is still loading is a failure that passes by itself', () => {
  expect(checkRedisConnection({ known: true, value: 'loading' })).toMatchObject({ level: 'failure' });
  expect(checkRedisConnection({ known: true, value: 'ready' })).toMatchObject({ level: 'ok', remedy: null });
});
