import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from '../../dev/servers/free-port.ts';
import { eventually, type ServerProcess, startServer } from '../../dev/servers/redis-cluster.ts';

/** A primary with two replicas, and three Sentinels that watch over them, on loopback. */
export interface SentinelSet {
  servers: ServerProcess[];
  sentinels: ServerProcess[];
  environment: Record<string, string>;
  /** the server that the Sentinels call the primary */
  primary(): Promise<ServerProcess>;
  stop(): Promise<void>;
}

const masterName = 'sluice';
/** After so long without an answer a Sentinel calls a server down, in ms. */
const downAfterMs = 1_000;

/** Starts the set, and waits until the Sentinels know of each other and of the replicas. */
export async function startSentinels({ binary, dir }: { binary: string; dir: string }): Promise<SentinelSet> {
  const password = randomBytes(18).toString('hex');
  const sentinelPassword = randomBytes(18).toString('hex');
  const servers: ServerProcess[] = [];
  const sentinels: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const server of [...sentinels, ...servers]) await server.stop();
  };
  try {
    for (let index = 0; index < 3; index += 1) {
      const lines = [
        `requirepass ${password}`,
        `masterauth ${password}`,
        'appendonly yes',
        'appendfsync everysec',
        'save ""',
        'maxmemory-policy noeviction',
        'repl-diskless-sync-delay 0',
        ...(servers[0] === undefined ? [] : [`replicaof 127.0.0.1 ${servers[0].port}`]),
      ];
      servers.push(await startServer({ binary, dir: join(dir, `server-${index}`), lines }, password, await freePort()));
    }
    const [first] = servers as [ServerProcess];
    await eventually(async () => {
      const info = await first.client.info('replication');
      return info.includes('connected_slaves:2') && (info.match(/state=online/g) ?? []).length === 2;
    });
    for (let index = 0; index < 3; index += 1) {
      const lines = [
        `requirepass ${sentinelPassword}`,
        `sentinel sentinel-pass ${sentinelPassword}`,
        `sentinel monitor ${masterName} 127.0.0.1 ${first.port} 2`,
        `sentinel auth-pass ${masterName} ${password}`,
        `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
        `sentinel failover-timeout ${masterName} 6000`,
      ];
      sentinels.push(
        await startServer(
          { binary, dir: join(dir, `sentinel-${index}`), args: ['--sentinel'], lines },
          sentinelPassword,
          await freePort(),
        ),
      );
    }
    for (const { client } of sentinels)
      await eventually(async () => {
        const info = String(await client.info('sentinel'));
        return info.includes('status=ok') && info.includes('slaves=2') && info.includes('sentinels=3');
      });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    servers,
    sentinels,
    environment: {
      REDIS_SENTINEL_NODES: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
      REDIS_SENTINEL_MASTER_NAME: masterName,
      REDIS_SENTINEL_PASSWORD: sentinelPassword,
      REDIS_PASSWORD: password,
    },
    async primary() {
      const [sentinel] = sentinels as [ServerProcess];
      const address = (await sentinel.client.call('SENTINEL', 'get-master-addr-by-name', masterName)) as string[];
      const found = servers.find(({ port }) => String(port) === address[1]);
      if (found === undefined) throw new Error('the Sentinels know of no primary');
      return found;
    },
    stop,
  };
}
