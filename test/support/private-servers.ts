import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { startPostgres } from '../../dev/servers/postgres.ts';
import type { PrivateServer } from '../../dev/servers/processes.ts';
import { stopProcess } from '../../dev/servers/processes.ts';
import { startRedis } from '../../dev/servers/redis.ts';
import { createDirectory } from './fixtures.ts';
import { parentOfDatabases } from './memory-directory.ts';

/** A server that a test may stop, kill, freeze and start again, on the same port with the same data. */
export interface FragileServer {
  url: string;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  startAgain(): Promise<void>;
}

/** What it has acknowledged is on disk, so that a test that kills it can tell what has to be there afterwards. */
export async function startFragileRedis(): Promise<FragileServer> {
  const options = {
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'redis'),
    sync: 'always',
  } as const;
  return fragile(
    () => startRedis(options),
    (port) => startRedis({ ...options, port }),
  );
}

export async function startFragilePostgres(): Promise<FragileServer> {
  const dir = join(await createDirectory(await parentOfDatabases()), 'postgres');
  return fragile(
    () => startPostgres({ dir, fsync: false }),
    (port) => startPostgres({ dir, fsync: false, port }),
  );
}

type Server = PrivateServer | PrivateServer;

async function fragile(
  start: () => Promise<Server>,
  startOn: (port: number) => Promise<Server>,
): Promise<FragileServer> {
  let server = await start();
  onTestFinished(async () => {
    signal(server.pid, 'SIGCONT');
    await server.stop();
  });
  return {
    url: server.url,
    kill: () => stopProcess(server.pid, 'SIGKILL', 10_000),
    freeze: () => signal(server.pid, 'SIGSTOP'),
    thaw: () => signal(server.pid, 'SIGCONT'),
    async startAgain() {
      server = await startOn(server.port);
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // gone already
  }
}
