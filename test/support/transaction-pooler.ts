import { execFile, spawn } from 'node:child_process';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { freePort } from '../../local/free-port.ts';
import { stopProcess } from '../../local/processes.ts';
import { unprivileged } from '../../local/unprivileged.ts';
import { createDirectory, until } from './fixtures.ts';

const run = promisify(execFile);

/** A PgBouncer in transaction mode with default settings in front of a server; it goes with the test. The URL leads through it. */
export async function startTransactionPooler(databaseUrl: string): Promise<string> {
  const binary = (await findPooler()) ?? (await installPooler());
  const dir = await createDirectory();
  const url = new URL(databaseUrl);
  const port = await freePort();
  const users = join(dir, 'users.txt');
  const settings = join(dir, 'pgbouncer.ini');
  await writeFile(users, `"${url.username}" "${url.password}"\n`);
  await writeFile(
    settings,
    `[databases]\n* = host=${url.hostname} port=${url.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\n` +
      `auth_file = ${users}\npool_mode = transaction\n`,
  );
  const { command, args, owner } = unprivileged(binary, ['-q', settings]);
  if (owner) for (const path of [dir, users, settings]) await chown(path, owner.uid, owner.gid);
  const child = spawn(command, args, { cwd: '/', stdio: 'ignore' });
  onTestFinished(() => stopProcess(child.pid ?? 0, 'SIGTERM', 5_000));
  url.hostname = '127.0.0.1';
  url.port = String(port);
  await until(async () => {
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } finally {
      await client.end().catch(() => undefined);
    }
  });
  return url.href;
}

async function findPooler(): Promise<string | null> {
  const found = await run('sh', ['-c', 'PATH="$PATH:/usr/sbin"; command -v pgbouncer']).catch(() => null);
  return found?.stdout.trim() ?? null;
}

async function installPooler(): Promise<string> {
  await run('apt-get', ['update', '-qq']);
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'pgbouncer'], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  const binary = await findPooler();
  if (binary === null) throw new Error('the package pgbouncer brought no pgbouncer onto the PATH');
  return binary;
}
