import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { makePrivateDirectory } from './private-files.ts';
import { commandLine, isAlive, type PrivateServer, startError, startServer, stopProcess } from './processes.ts';

export interface RedisOptions {
  /** path of redis-server or valkey-server */
  binary: string;
  /** holds the append-only file, the settings and the log; created if missing, otherwise reused */
  dir: string;
  /** port to listen on, for a restart on the same address. @default a free one */
  port?: number;
  /**
   * when writes are synced to disk: `always` before each answer, `everysec` at most two seconds later. With the latter, killing the
   * server may lose that much, because Redis also delays writes while a sync runs. @default 'everysec'
   */
  sync?: 'always' | 'everysec';
}

interface RedisState {
  port: number;
  password: string;
  pid: number;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 20_000;

/**
 * Starts a Redis server with an append-only file and `noeviction` (BullMQ needs that) on a free loopback port,
 * or takes over the one that a crashed run left behind in the same directory. Detached, like PostgreSQL.
 *
 * @throws Error with the tail of the server's log if it does not come up.
 */
export async function startRedis({ binary, dir, port, sync = 'everysec' }: RedisOptions): Promise<PrivateServer> {
  await makePrivateDirectory(dir);
  const previous = await readState(dir);
  const running = previous && (await commandLine(previous.pid))?.includes(`:${previous.port}`) ? previous : null;
  const password = previous?.password ?? randomBytes(18).toString('hex');
  const server = running ?? (await launch({ binary, dir, sync }, password, port ?? (await freePort())));
  const url = `redis://:${password}@127.0.0.1:${server.port}`;
  await waitUntilReady(url, server.pid, join(dir, 'redis.log'));
  return {
    url,
    port: server.port,
    pid: server.pid,
    adopted: running !== null,
    stop: () => stopProcess(server.pid, 'SIGTERM', stopTimeoutMs),
  };
}

async function readState(dir: string): Promise<RedisState | null> {
  const text = await readFile(join(dir, 'state.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as RedisState);
}

async function launch(
  { binary, dir, sync }: Required<Omit<RedisOptions, 'port'>>,
  password: string,
  port: number,
): Promise<RedisState> {
  const settings = join(dir, 'redis.conf');
  await writeFile(
    settings,
    [
      'bind 127.0.0.1',
      `port ${port}`,
      `dir "${dir}"`,
      `requirepass ${password}`,
      'appendonly yes',
      `appendfsync ${sync}`,
      'save ""',
      'maxmemory-policy noeviction',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const pid = await startServer(binary, [settings], { cwd: dir, log: join(dir, 'redis.log') });
  const state = { port, password, pid };
  await writeFile(join(dir, 'state.json'), JSON.stringify(state), { mode: 0o600 });
  return state;
}

async function waitUntilReady(url: string, pid: number, log: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null, connectTimeout: 2_000 });
  client.on('error', () => undefined);
  const deadline = Date.now() + startTimeoutMs;
  try {
    let ready = false;
    // ioredis holds the command until the server has left LOADING.
    void client.ping().then(
      () => {
        ready = true;
      },
      () => undefined,
    );
    while (!ready) {
      if (!(await isAlive(pid)) || Date.now() > deadline) throw await startError('Redis', log);
      await sleep(20);
    }
  } finally {
    client.disconnect();
  }
}
