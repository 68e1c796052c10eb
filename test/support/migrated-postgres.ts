import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { migrate } from '../../prisma/migrate.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { connect } from './fixtures.ts';
import { type FragileServer, startFragilePostgres } from './private-servers.ts';

const run = promisify(execFile);

/** A private PostgreSQL with the schema in it, that a test may stop, kill, freeze and start again. */
export async function startMigratedPostgres(): Promise<FragileServer> {
  const postgres = await startFragilePostgres();
  await migrate(loadConfig({ DATABASE_URL: postgres.url }).database);
  return postgres;
}

/**
 * Freezes a PostgreSQL on this machine with all its backends: stopping the first process alone leaves them at work.
 *
 * @returns what thaws it; the end of the test does so too
 */
export async function freezePostgres(databaseUrl: string): Promise<() => void> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const server = (await processTable()).find(({ pid }) => pid === rows[0]?.pid)?.parentPid;
  await client.end();
  if (server === undefined) throw new Error('the server of the database does not run on this machine');
  process.kill(server, 'SIGSTOP');
  // Read again: the first process has made its last backend now.
  const backends = (await processTable()).filter(({ parentPid }) => parentPid === server).map(({ pid }) => pid);
  for (const pid of backends) send(pid, 'SIGSTOP');
  const thaw = (): void => {
    for (const pid of [server, ...backends]) send(pid, 'SIGCONT');
  };
  onTestFinished(thaw);
  return thaw;
}

async function processTable(): Promise<{ pid: number; parentPid: number }[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid = 0, parentPid = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parentPid };
    });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}
