import { execFile, spawn } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../../dev/servers/free-port.ts';
import { installPackage } from '../../dev/servers/install-package.ts';
import { isAlive, stopProcess } from '../../dev/servers/processes.ts';
import { unprivileged } from '../../dev/servers/unprivileged.ts';

const run = promisify(execFile);

/** A private PgBouncer on loopback. */
export interface PgBouncer {
  /** as the URL of the server behind it, which it stands in front of with all its databases */
  url: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;

/**
 * Starts PgBouncer in front of a server, as people run it: in transaction mode, all else at its defaults.
 *
 * @param options.dir for its files; created
 * @param options.settings of its section `pgbouncer`, before ours
 * @param options.users who may come beside the user of the URL, with their passwords
 */
export async function startPgBouncer(
  postgresUrl: string,
  options: { dir: string; settings?: Readonly<Record<string, string>>; users?: Readonly<Record<string, string>> },
): Promise<PgBouncer> {
  const { dir, settings = {}, users = {} } = options;
  const binary = await findBinary();
  const { username, password, port: serverPort } = new URL(postgresUrl);
  const port = await freePort();
  const log = join(dir, 'pgbouncer.log');
  const files = {
    'users.txt': Object.entries({ ...users, [username]: password })
      .map(([name, secret]) => `"${name}" "${secret}"\n`)
      .join(''),
    'pgbouncer.ini': toIni({
      databases: { '*': `host=127.0.0.1 port=${serverPort}` },
      pgbouncer: {
        listen_addr: '127.0.0.1',
        listen_port: `${port}`,
        unix_socket_dir: '',
        auth_file: join(dir, 'users.txt'),
        logfile: log,
        pidfile: join(dir, 'pgbouncer.pid'),
        pool_mode: 'transaction',
        ...settings,
      },
    }),
  };
  const { command, args, owner } = unprivileged(binary, ['-q', join(dir, 'pgbouncer.ini')]);
  await mkdir(dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o600 });
  if (owner !== undefined)
    for (const path of [dir, ...Object.keys(files).map((name) => join(dir, name))])
      await chown(path, owner.uid, owner.gid);
  const child = spawn(command, args, { cwd: '/', stdio: 'ignore' });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const url = new URL(postgresUrl);
  url.port = String(port);
  await waitUntilReady(url.href, child.pid as number, log);
  return { url: url.href, stop: () => stopProcess(child.pid as number, 'SIGTERM', 5_000) };
}

async function findBinary(): Promise<string> {
  const find = () => run('sh', ['-c', 'PATH="$PATH:/usr/sbin"; command -v pgbouncer']).catch(() => null);
  const found =
    (await find()) ?? ((await installPackage({ apt: 'pgbouncer', brew: 'pgbouncer' }, process.env)) && (await find()));
  if (found) return found.stdout.trim();
  throw new Error('no pgbouncer on the PATH, and it cannot be installed from here (Debian: apt-get install pgbouncer)');
}

function toIni(sections: Record<string, Record<string, string>>): string {
  return Object.entries(sections)
    .map(([section, values]) => {
      const lines = Object.entries(values).map(([name, value]) => `${name} = ${value}`);
      return [`[${section}]`, ...lines, ''].join('\n');
    })
    .join('\n');
}

async function waitUntilReady(url: string, pid: number, log: string): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch (cause) {
      if (!(await isAlive(pid)) || Date.now() > deadline) {
        const tail = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-5).join('\n');
        throw new Error(`PgBouncer did not come up; the end of ${log}:\n${tail}`, { cause });
      }
      await sleep(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
