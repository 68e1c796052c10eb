import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { queueNames } from '../../shared/contracts/queues.ts';
import { makePrivateDirectory, withPrivateFiles } from '../servers/private-files.ts';

/** A process of the fleet. */
export interface FleetProcess {
  name: string;
  /** where its /metrics, /healthz and /readyz are; null until it has said so */
  url: string | null;
  /** null while it is being started again */
  pid: number | null;
}

/** One that works. */
export interface FleetWorker extends FleetProcess {
  roles: readonly string[];
}

/** How the fleet's processes are started. */
export interface FleetOptions {
  /** of the roles that take records */
  workers: number;
  /** roles that run beside them, each in one process of its own: what ends it takes no other along @default [] */
  alone?: readonly string[];
  /** whether there is a console, too; at a free port, unless the environment names one @default false */
  console?: boolean;
  /** for all of them, with the URLs of the servers */
  environment: NodeJS.ProcessEnv;
  /** gets a log file for each worker */
  logDir: string;
  /** told when a process ended although nobody stopped it; it is started again */
  onCrash(process: FleetProcess, how: string): void;
}

const cliFile = fileURLToPath(
  new URL(`../../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
const recordRoles: readonly string[] = queueNames;
const startTimeoutMs = 30_000;
const restartAfterMs = 500;

/**
 * Runs worker processes on this machine and starts a crashed one again. They hang on an IPC channel: when this process
 * dies, they stop by themselves.
 *
 * @throws Error when a worker does not come up at the first try; what it wrote is in its log file
 */
export async function startFleet(options: FleetOptions) {
  await makePrivateDirectory(options.logDir);
  let stopping = false;
  const children = new Map<string, ChildProcess>();
  const restarts = new Set<NodeJS.Timeout>();
  const names = Array.from({ length: options.workers }, (_, index) => `worker-${index + 1}`);
  const workers: FleetWorker[] = names.map((name) => ({ name, roles: recordRoles, url: null, pid: null }));
  for (const role of options.alone ?? []) workers.push({ name: role, roles: [role], url: null, pid: null });
  const console: FleetProcess | null = options.console ? { name: 'console', url: null, pid: null } : null;

  const launch = (worker: FleetWorker | FleetProcess): Promise<void> => {
    const logFile = join(options.logDir, `${worker.name}.log`);
    // The file itself, not a pipe through this process: a worker outlives it for as long as it takes to stop.
    const log = openSync(logFile, 'a', 0o600);
    const child = withPrivateFiles(() =>
      fork(cliFile, 'roles' in worker ? ['worker', ...worker.roles] : ['console'], {
        env: {
          ...options.environment,
          SLUICE_CONSOLE_PORT: options.environment['SLUICE_CONSOLE_PORT'] || '0',
          SLUICE_WORKER_PORT: '0',
        },
        stdio: ['ignore', log, log, 'ipc'],
        // Its own process group: a Ctrl-C reaches the fleet, and the fleet stops its workers in good order.
        detached: true,
      }),
    );
    closeSync(log);
    worker.pid = child.pid ?? null;
    children.set(worker.name, child);
    child.once('exit', (code, signal) => {
      children.delete(worker.name);
      worker.pid = null;
      if (!stopping) restart(worker, signal ? `was killed with ${signal}` : `exited with code ${code}`);
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${worker.name} did not start in time; see ${logFile}`)),
        startTimeoutMs,
      );
      child.once('exit', () => reject(new Error(`${worker.name} exited during startup; see ${logFile}`)));
      child.once('message', (message: { probes: string }) => {
        worker.url = message.probes;
        resolve();
      });
      child.once('exit', () => clearTimeout(timer));
      child.once('message', () => clearTimeout(timer));
    });
  };

  const restart = (worker: FleetProcess, how: string): void => {
    options.onCrash(worker, how);
    const timer = setTimeout(() => {
      restarts.delete(timer);
      launch(worker).catch(() => undefined);
    }, restartAfterMs);
    restarts.add(timer);
  };

  let stopped: Promise<unknown> | null = null;
  /** Once: to a worker that is stopping, a second signal means at once. */
  const stop = async (): Promise<void> => {
    stopping = true;
    for (const timer of restarts) clearTimeout(timer);
    stopped ??= Promise.all([...children.values()].map(stopChild));
    await stopped;
  };

  try {
    await Promise.all([...workers, ...(console === null ? [] : [console])].map(launch));
  } catch (error) {
    await stop();
    throw error;
  }
  return { workers: workers as readonly FleetWorker[], console, stop };
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/** SIGTERM; the worker's own deadline bounds the wait. A paused or hung one is killed when that has passed. */
function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 40_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
