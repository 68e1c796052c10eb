import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { queueNames } from '../../shared/contracts/queues.ts';
import { makePrivateDirectory, withPrivateFiles } from '../servers/private-files.ts';

/** A process of the fleet. */
export interface FleetProcess {
  name: string;
  /** the address of its /metrics, /healthz and /readyz; null until it has printed it */
  url: string | null;
  /** null while it is being restarted */
  pid: number | null;
}

/** A worker process. */
export interface FleetWorker extends FleetProcess {
  roles: readonly string[];
}

/** How a process ended: with an exit code, or killed by a signal. The other is null. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How to start the fleet's processes. */
export interface FleetOptions {
  /** number of processes with the roles that take records */
  workers: number;
  /** roles that run in processes of their own, so that a crash of one affects no other @default [] */
  alone?: readonly string[];
  /** whether to start a console, on a free port unless the environment names one @default false */
  console?: boolean;
  /** whether to start a gateway, on a free port unless the environment names one @default false */
  gateway?: boolean;
  /** for all processes, including the servers' URLs */
  environment: NodeJS.ProcessEnv;
  /** the directory for the workers' log files */
  logDir: string;
  /** called when a process ends unexpectedly; it is restarted */
  onCrash(process: FleetProcess, exit: ProcessExit): void;
}

const cliFile = fileURLToPath(
  new URL(`../../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
const recordRoles: readonly string[] = queueNames;
const startTimeoutMs = 30_000;
const restartAfterMs = 500;

/**
 * Runs worker processes on this machine and restarts those that crash. They hold an IPC channel to this process: if it dies, they
 * stop by themselves.
 *
 * @throws Error if a worker does not come up at its first start; its output is in its log file
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
  const gateway: FleetProcess | null = options.gateway ? { name: 'gateway', url: null, pid: null } : null;

  const launch = (worker: FleetWorker | FleetProcess): Promise<void> => {
    const logFile = join(options.logDir, `${worker.name}.log`);
    // The file itself, not a pipe through this process: a worker lives a little longer than this process while it stops.
    const log = openSync(logFile, 'a', 0o600);
    const child = withPrivateFiles(() =>
      fork(cliFile, 'roles' in worker ? ['worker', ...worker.roles] : [worker.name], {
        env: {
          ...options.environment,
          SLUICE_CONSOLE_PORT: options.environment['SLUICE_CONSOLE_PORT'] || portOf(worker),
          SLUICE_GATEWAY_PORT: options.environment['SLUICE_GATEWAY_PORT'] || portOf(worker),
          SLUICE_WORKER_PORT: '0',
        },
        stdio: ['ignore', log, log, 'ipc'],
        // Its own process group: a Ctrl-C reaches the fleet, which stops its workers in order.
        detached: true,
      }),
    );
    closeSync(log);
    worker.pid = child.pid ?? null;
    children.set(worker.name, child);
    child.once('exit', (code, signal) => {
      children.delete(worker.name);
      worker.pid = null;
      if (!stopping) restart(worker, { code, signal });
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

  const restart = (worker: FleetProcess, exit: ProcessExit): void => {
    options.onCrash(worker, exit);
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
    await Promise.all([...workers, console, gateway].filter((one) => one !== null).map(launch));
  } catch (error) {
    await stop();
    throw error;
  }
  return { workers: workers as readonly FleetWorker[], console, gateway, stop };
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/** A free port at first; after a crash the same again, which others were told. */
function portOf({ url }: FleetProcess): string {
  return url === null ? '0' : new URL(url).port;
}

/** In words that follow the name of the process. */
export function describeExit({ code, signal }: ProcessExit): string {
  return signal === null ? `exited with code ${code}` : `was killed with ${signal}`;
}

/** Sends SIGTERM; the worker's own deadline limits the wait. A paused or hung worker is killed after that. */
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
