import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { until } from './fixtures.ts';
import { type FragileServer, startFragileRedis } from './private-servers.ts';
import { portOf } from './proxies.ts';

/** Two servers of which one replicates the other, as a managed Redis has them. */
export interface RedisPair {
  first: FragileServer;
  second: FragileServer;
  /**
   * Lets the two change roles without losing a write: the one in charge pauses its writers until the other has everything,
   * and is its read-only replica from then on.
   */
  swapRoles(): Promise<void>;
}

/** Starts a pair with its first server in charge. */
export async function startRedisPair(): Promise<RedisPair> {
  const [first, second] = await Promise.all([startFragileRedis(), startFragileRedis()]);
  let primary = openAdmin(first.url);
  let replica = openAdmin(second.url);
  // Each may have to follow the other, and the producers' and workers' URL holds for both.
  const { password } = new URL(first.url);
  await replica.config('SET', 'requirepass', password);
  for (const server of [primary, replica]) {
    await server.config('SET', 'masterauth', password);
    // Without a wait for more replicas, of five seconds by default.
    await server.config('SET', 'repl-diskless-sync-delay', '0');
  }
  await replica.replicaof('127.0.0.1', portOf(first.url));
  await until(async () => (await replica.info('replication')).includes('master_link_status:up'));

  return {
    first,
    second,
    async swapRoles() {
      const port = replica.options.port ?? 0;
      await until(async () => (await primary.info('replication')).includes('state=online'));
      await primary.call('FAILOVER', 'TO', '127.0.0.1', port);
      await until(async () => (await primary.info('replication')).includes('role:slave'));
      await until(async () => (await replica.info('replication')).includes('role:master'));
      [primary, replica] = [replica, primary];
    },
  };
}

function openAdmin(url: string): Redis {
  const redis = new Redis(url);
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}
