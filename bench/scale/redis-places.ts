import { join } from 'node:path';
import { findRedisBinary } from '../../dev/servers/redis-binary.ts';
import { startRedisCluster } from '../../dev/servers/redis-cluster.ts';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { primariesOf } from '../../shared/platform/redis/cluster-nodes.ts';
import { createRedis, type Redis } from '../../shared/platform/redis/redis.ts';
import type { CpuMeter } from '../cpu-meter.ts';
import type { Testbed } from '../testbed.ts';

/** A Redis that the fleet is measured on. */
export interface RedisPlace {
  /** servers that take writes */
  nodes: number;
  /** as a process is told */
  environment: Record<string, string>;
  client: Redis;
  cpu: CpuMeter;
  /** what its data takes, of all servers */
  usedBytes(): Promise<number>;
}

/** The testbed's server, and a cluster of three primaries without replicas, with the same persistence. */
export async function openRedisPlaces(testbed: Testbed): Promise<RedisPlace[]> {
  const binary = await findRedisBinary();
  if (binary === null) throw new UsageError('there is no redis-server in the PATH to make a cluster of');
  const cluster = await startRedisCluster({ binary, dir: join(testbed.dir, 'cluster'), replicas: false });
  testbed.onClose('the cluster', cluster.stop);
  const environment = { REDIS_URL: '', ...cluster.environment };
  const target = requireRedis(loadConfig({ ...testbed.environment, ...environment }).redis);
  const client = createRedis(target, { role: 'worker', name: 'sluice:bench', logger: null });
  testbed.onClose('the client of the cluster', async () => client.disconnect());
  await client.ping();
  return [
    { nodes: 1, environment: {}, client: testbed.redis, cpu: testbed.cpu, usedBytes: () => usedBytesOf(testbed.redis) },
    {
      nodes: 3,
      environment,
      client,
      cpu: testbed.cpuWith(await pidsOf(client)),
      usedBytes: () => usedBytesOf(client),
    },
  ];
}

async function pidsOf(redis: Redis): Promise<number[]> {
  return (await infos(redis, 'server')).map((info) => figure(info, 'process_id'));
}

async function usedBytesOf(redis: Redis): Promise<number> {
  return (await infos(redis, 'memory')).reduce((sum, info) => sum + figure(info, 'used_memory'), 0);
}

function infos(redis: Redis, section: string): Promise<string[]> {
  return Promise.all(primariesOf(redis).map((server) => server.info(section)));
}

function figure(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
}
