import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { withPrivateFiles } from './private-files.ts';

const run = promisify(execFile);

/** A private server on loopback. */
export interface PrivateServer {
  /** connection URL with the generated password; of PostgreSQL, it points at the database `sluice` */
  url: string;
  port: number;
  pid: number;
  /** true if an earlier run left it running and it was taken over */
  adopted: boolean;
  /** PostgreSQL rolls back open transactions and writes a checkpoint, Redis saves. Resolves when the process is gone. */
  stop(): Promise<void>;
}

/** Starts a server that outlives this process, with its output in a log file. @returns its process id */
export async function startServer(
  command: string,
  args: string[],
  options: { cwd: string; log: string },
): Promise<number> {
  const output = await open(options.log, 'a', 0o600);
  const child = withPrivateFiles(() =>
    spawn(command, args, { cwd: options.cwd, detached: true, stdio: ['ignore', output.fd, output.fd] }),
  );
  await once(child, 'spawn');
  child.unref();
  await output.close();
  return child.pid as number;
}

/** The error of a server that did not come up, with the end of its log. */
export async function startError(server: string, log: string, cause?: unknown): Promise<Error> {
  const tail = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-5).join('\n');
  return new Error(`${server} did not start; last lines of ${log}:\n${tail}`, { cause });
}

/** Whether a process with this id exists. A zombie that its parent has not reaped yet counts as gone. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return (await describe(pid)) !== null;
}

/** The command line of a process, or null if it is gone. Process ids are reused, so compare it before you trust one. */
export async function commandLine(pid: number): Promise<string | null> {
  return (await describe(pid))?.command ?? null;
}

async function describe(pid: number): Promise<{ command: string } | null> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=,args=', '-p', String(pid)]);
    const [state = '', ...command] = stdout.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? null : { command: command.join(' ') };
  } catch {
    return null;
  }
}

/** Sends `signal`, waits until the process is gone, and kills it if it still exists after `timeoutMs`. */
export async function stopProcess(pid: number, signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
  if (!send(pid, signal)) return;
  const deadline = Date.now() + timeoutMs;
  while (await isAlive(pid)) {
    if (Date.now() > deadline) send(pid, 'SIGKILL');
    await sleep(20);
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
