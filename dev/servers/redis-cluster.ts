import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

/** A server of ours that can be killed and started again. */
export interface ServerProcess {
  port: number;
  /** for commands of whoever started it */
  client: Redis;
  /** Ends it without a word. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its data, or on none. */
  start(options?: { empty?: boolean }): Promise<void>;
  /** Stops it where it is, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  stop(): Promise<void>;
}

const startWithinMs = 20_000;

/** Starts a server and waits until it answers. @param lines of its settings, without port and dir */
export async function startServer(
  { binary, dir, args = [], lines }: { binary: string; dir: string; args?: string[]; lines: readonly string[] },
  password: string | null,
  port: number,
): Promise<ServerProcess> {
  await mkdir(dir, { recursive: true });
  const settings = join(dir, 'server.conf');
  const all = ['bind 127.0.0.1', `port ${port}`, `dir "${dir}"`, `logfile "${join(dir, 'server.log')}"`, ...lines];
  await writeFile(settings, `${all.join('\n')}\n`, { mode: 0o600 });
  let child: ChildProcess | null = null;
  let ended: Promise<unknown> = Promise.resolve();
  const client = new Redis({
    port,
    host: '127.0.0.1',
    ...(password === null ? {} : { password }),
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => undefined);

  const start = async ({ empty = false } = {}): Promise<void> => {
    if (empty) await run('sh', ['-c', 'rm -rf "$0"/appendonlydir "$0"/*.rdb', dir]);
    const started = spawn(binary, [settings, ...args], { cwd: dir, stdio: 'ignore' });
    child = started;
    ended = new Promise((resolve) => started.once('exit', resolve).once('error', resolve));
    const deadline = Date.now() + startWithinMs;
    while (!(await answers(port, password))) {
      if (Date.now() > deadline || started.exitCode !== null) {
        const log = await readFile(join(dir, 'server.log'), 'utf8').catch(() => '');
        throw new Error(`the server did not start: ${log.split('\n').slice(-5).join('\n')}`);
      }
      await sleep(20);
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child?.kill('SIGCONT');
    child?.kill(signal);
    await ended;
  };
  await start();
  return {
    port,
    client,
    start,
    kill: () => end('SIGKILL'),
    signal: (signal) => void child?.kill(signal),
    async stop() {
      client.disconnect();
      await end('SIGKILL');
    },
  };
}

async function answers(port: number, password: string | null): Promise<boolean> {
  const probe = new Redis({
    port,
    host: '127.0.0.1',
    ...(password === null ? {} : { password }),
    retryStrategy: () => null,
    lazyConnect: true,
    enableReadyCheck: false,
  });
  probe.on('error', () => undefined);
  try {
    await probe.connect();
    await probe.ping();
    return true;
  } catch {
    return false;
  } finally {
    probe.disconnect();
  }
}

/** A port whose bus port, 10000 above, is not beyond the last, and is not in the range that others get theirs from. */
async function clusterPort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = ((await freePort()) % 20_000) + 10_000;
    if (!taken.has(port) && !(await isTaken(port)) && !(await isTaken(port + 10_000))) return port;
  }
}

async function isTaken(port: number): Promise<boolean> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}

/** How long a node may say nothing before the others replace it, in ms. */
export const nodeTimeoutMs = 1_500;

/** A Redis Cluster of three primaries on loopback, with a replica each or none. */
export interface RedisCluster {
  password: string;
  servers: ServerProcess[];
  /** as REDIS_CLUSTER_NODES has it */
  nodes: string;
  /** of one of its nodes */
  url: string;
  /** what a process of ours is told */
  environment: Record<string, string>;
  /** the server that has a key now, and its replicas */
  ownerOf(key: string): Promise<{ primary: ServerProcess; replicas: ServerProcess[]; slot: number }>;
  stop(): Promise<void>;
}

/**
 * Starts a cluster and waits until it serves every slot from a primary, with its replica.
 *
 * @param options.replicas whether each primary has one. @default true
 * @param options.settings more lines of its servers' settings. @default none
 */
export async function startRedisCluster({
  binary,
  dir,
  replicas = true,
  settings = [],
}: {
  binary: string;
  dir: string;
  replicas?: boolean;
  settings?: readonly string[];
}): Promise<RedisCluster> {
  const password = randomBytes(18).toString('hex');
  const ports = new Set<number>();
  for (let left = replicas ? 6 : 3; left > 0; left -= 1) ports.add(await clusterPort(ports));
  const lines = [
    `requirepass ${password}`,
    `masterauth ${password}`,
    'cluster-enabled yes',
    'cluster-config-file nodes.conf',
    `cluster-node-timeout ${nodeTimeoutMs}`,
    'cluster-replica-validity-factor 0',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'repl-diskless-sync-delay 0',
    // A replica is in CLUSTER SLOTS once its primary has sent it something, if only a ping, which takes ten seconds by default.
    'repl-ping-replica-period 1',
    ...settings,
  ];
  const starts = await Promise.allSettled(
    Array.from(ports, (port, index) => startServer({ binary, dir: join(dir, String(index)), lines }, password, port)),
  );
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  try {
    const failed = starts.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed !== undefined) throw failed.reason;
    await joinCluster(servers);
  } catch (error) {
    for (const server of servers) await server.stop();
    throw error;
  }
  const nodes = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return {
    password,
    servers,
    nodes,
    url: `redis://:${password}@127.0.0.1:${servers[0]?.port}`,
    environment: { REDIS_CLUSTER_NODES: nodes, REDIS_PASSWORD: password },
    ownerOf: (key) => ownerOf(servers, key),
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** The first three are the primaries, the others their replicas. */
async function joinCluster(servers: readonly ServerProcess[]): Promise<void> {
  for (const [index, { client }] of servers.entries()) await client.cluster('SET-CONFIG-EPOCH', index + 1);
  // Each with each: to hear of the others from the first one takes them seconds.
  for (const { client, port: own } of servers)
    for (const { port } of servers) if (port !== own) await client.cluster('MEET', '127.0.0.1', port);
  const bounds = [0, 5_461, 10_923, 16_384];
  for (const [index, { client }] of servers.slice(0, 3).entries())
    await client.cluster('ADDSLOTSRANGE', bounds[index] as number, (bounds[index + 1] as number) - 1);
  const ids = await Promise.all(servers.map(({ client }) => client.cluster('MYID')));
  for (const [index, { client }] of servers.slice(3).entries())
    await eventually(async () => (await client.cluster('REPLICATE', String(ids[index]))) === 'OK');
  for (const { client } of servers)
    await eventually(async () => {
      const info = String(await client.cluster('INFO'));
      const slots = (await client.cluster('SLOTS')) as unknown[][];
      return (
        info.includes('cluster_state:ok') &&
        slots.length === 3 &&
        slots.every((slot) => slot.length === 2 + servers.length / 3)
      );
    });
  for (const { client } of servers.slice(3))
    await eventually(async () => (await client.info('replication')).includes('master_link_status:up'));
}

async function ownerOf(servers: readonly ServerProcess[], key: string) {
  for (const { client } of servers) {
    if (client.status !== 'ready') continue;
    const slot = Number(await client.cluster('KEYSLOT', key));
    const ranges = (await client.cluster('SLOTS')) as unknown as [number, number, ...[string, number][]][];
    const found = ranges.find(([from, to]) => from <= slot && slot <= to);
    const [primary, ...replicas] =
      (found?.slice(2) as [string, number][] | undefined)?.map(([, port]) =>
        servers.find((server) => server.port === port),
      ) ?? [];
    if (primary !== undefined) return { primary, replicas: replicas.filter((server) => server !== undefined), slot };
  }
  throw new Error('no server of the cluster answers');
}

export async function eventually(ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const isSo = await ask().catch(() => false);
    if (isSo) return;
    if (Date.now() > deadline) throw new Error('the servers did not get into the state that was waited for');
    await sleep(50);
  }
}
