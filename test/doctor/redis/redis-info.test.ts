import { expect, test } from 'vitest';
import { clientNamesOf } from '../../../doctor/redis/redis-facts.ts';
import { parseRedisInfo } from '../../../doctor/redis/redis-info.ts';

test('redis info: figures, words and flags are read, whatever the line ends', () => {
  const text =
    '# Server\r\nredis_version:7.0.15\r\n\r\n# Memory\r\nused_memory:1048576\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\nloading:0\r\naof_enabled:1\r\nrdb_last_bgsave_status:ok\r\naof_last_write_status:err\r\n# Replication\r\nrole:master\r\nconnected_slaves:2\r\n# Stats\r\nevicted_keys:7\r\n# Clients\r\nconnected_clients:3\r\nmaxclients:10000\r\n# Cluster\r\ncluster_enabled:0\r\n';
  const expected = {
    product: 'Redis',
    version: '7.0.15',
    role: 'master',
    isSentinel: false,
    isClusterNode: false,
    isLoading: false,
    usedMemoryBytes: 1_048_576,
    maxMemoryBytes: 0,
    maxMemoryPolicy: 'noeviction',
    evictedKeys: 7,
    appendOnly: true,
    failedWrites: ['the last write to the append-only file'],
    replicas: 2,
    connectedClients: 3,
    maxClients: 10_000,
  };
  expect(parseRedisInfo(text)).toEqual(expected);
  expect(parseRedisInfo(text.replaceAll('\r\n', '\n'))).toEqual(expected);
});

test.for([
  ['redis_version:6.2.14', 'Redis', '6.2.14'],
  ['redis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.1.1', 'Valkey', '8.1.1'],
  ['redis_version:7.4.0\ndragonfly_version:df-v1.27.1', 'Dragonfly', '1.27.1'],
  ['nothing:known', null, null],
] as const)('redis info: %s is %s %s', ([text, product, version]) => {
  expect(parseRedisInfo(text)).toMatchObject({ product, version });
});

test('redis info: what a server does not tell is null, not zero', () => {
  expect(parseRedisInfo('redis_version:7.0.0')).toMatchObject({
    usedMemoryBytes: null,
    maxMemoryBytes: null,
    maxMemoryPolicy: null,
    appendOnly: null,
    evictedKeys: null,
    failedWrites: [],
  });
});

test('redis clients: those with a name are listed, also when a field before it is empty', () => {
  const list =
    'id=3 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=8 name= age=1\nid=4 addr=1:1 fd=9 name={sluice:execution-log}:ZXg=:w:a age=2\nid=5 addr=1:2 name=sluice:worker age=3\n';
  expect(clientNamesOf(list)).toEqual(['{sluice:execution-log}:ZXg=:w:a', 'sluice:worker']);
});
