import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { commandLine } from '../../../dev/servers/processes.ts';
import { createDirectory, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';

/** A checkout of its own, as far as npm can see: scripts run there, and `.sluice` comes to lie there. */
async function aCheckout(): Promise<string> {
  const dir = await createDirectory();
  copyFileSync('package.json', join(dir, 'package.json'));
  for (const folder of ['cli', 'dev']) symlinkSync(resolve(folder), join(dir, folder));
  return dir;
}

/** An npm script in a process group of its own; what it says on both outputs. */
async function startScript(args: readonly string[], environment: Record<string, string>) {
  const npm = spawn('npm', args, {
    cwd: await aCheckout(),
    env: { ...inheritedEnvironment(), HOME: await createDirectory(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (bytes) => (said += String(bytes)));
  const ended = once(npm, 'exit');
  onTestFinished(async () => {
    kill(npm, -(npm.pid as number));
    await ended;
  });
  return { npm, ended, said: () => said };
}

function kill({ pid }: ChildProcess, target = pid as number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // gone already
  }
}

/** A process and all that it has started, and they have started, as ids. */
function familyOf(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parentOf = new Map(rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]));
  const family = [pid];
  for (const member of family) for (const [child, parent] of parentOf) if (parent === member) family.push(child);
  return family;
}

async function areGone(pids: readonly number[]): Promise<boolean> {
  return (await Promise.all(pids.map(commandLine))).every((line) => line === null);
}

/** What the bootstrap does on a Node that cannot become another program. */
const withoutExecve = { NODE_OPTIONS: '--import=data:text/javascript,delete%20process.execve' };

const place = async () => ({
  DATABASE_URL: await createTestDatabase(),
  REDIS_URL: inject('redisUrl'),
  SLUICE_NAMESPACE: createNamespace(),
  SLUICE_WORKER_PORT: '0',
});

test.each<[signal: NodeJS.Signals, how: string, environment: Record<string, string>]>([
  ['SIGTERM', 'which becomes its Node', {}],
  ['SIGTERM', 'which starts its Node', withoutExecve],
  ['SIGINT', 'which starts its Node', withoutExecve],
])('npm: %s to it alone drains the worker of a script, %s, and both end with 0', async (signal, _how, environment) => {
  const { npm, ended, said } = await startScript(['run', '-s', 'sluice', '--', 'worker', 'execution-log'], {
    ...(await place()),
    ...environment,
  });
  await until(() => said().includes('taking jobs'));
  const family = familyOf(npm.pid as number);
  expect(family.length).toBeGreaterThan(1);
  npm.kill(signal);
  expect(await ended).toEqual([0, null]);
  expect(said()).toContain('everything is settled');
  expect(await areGone(family)).toBe(true);
});

test.each(['SIGTERM', 'SIGHUP'] as const)(
  'npm: %s to the whole group, as from a terminal, is one signal and drains the worker',
  async (signal) => {
    const { npm, said } = await startScript(['run', '-s', 'sluice', '--', 'worker', 'execution-log'], {
      ...(await place()),
      ...withoutExecve,
    });
    await until(() => said().includes('taking jobs'));
    const family = familyOf(npm.pid as number);
    process.kill(-(npm.pid as number), signal);
    await until(() => areGone(family));
    expect(said()).toContain('everything is settled');
  },
);

test('npm start: SIGTERM to npm alone leaves nothing behind, and the next start finds its data', async () => {
  const dir = await aCheckout();
  const start = async () => {
    const npm = spawn('npm', ['start'], {
      cwd: dir,
      env: { ...inheritedEnvironment(), ...withoutExecve, HOME: await createDirectory(), SLUICE_WORKERS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    const ended = once(npm, 'exit');
    let said = '';
    npm.stderr.on('data', (bytes) => (said += String(bytes)));
    await until(() => said.includes('ready.'));
    const family = familyOf(npm.pid as number);
    onTestFinished(() => {
      for (const pid of family) kill(npm, pid);
    });
    npm.kill('SIGTERM');
    const code = await ended;
    return { code, said, family };
  };
  for (const says of ['database migrated', 'database is up to date']) {
    const { code, said, family } = await start();
    expect(code).toEqual([0, null]);
    expect(said).toContain(says);
    // PostgreSQL, Redis, the console, three workers, and what started them.
    expect(family.length).toBeGreaterThan(6);
    expect(await areGone(family)).toBe(true);
  }
});

test('npm: a signal in any of its first instants leaves nothing behind', async () => {
  const environment = { ...(await place()), ...withoutExecve };
  for (const afterMs of [0, 100, 200, 400, 600, 800, 1_200]) {
    const { npm, ended } = await startScript(['run', '-s', 'sluice', '--', 'worker', 'execution-log'], environment);
    await sleep(afterMs);
    const family = familyOf(npm.pid as number);
    npm.kill('SIGTERM');
    await ended;
    await until(() => areGone(family));
  }
});

test('npm: SIGTERM while it installs what is missing ends the installation, too', async () => {
  const dir = await createDirectory();
  for (const folder of ['dev', 'prisma']) mkdirSync(join(dir, folder));
  for (const file of ['package.json', 'package-lock.json', '.npmrc', 'dev/bootstrap.mjs', 'prisma/schema.prisma'])
    copyFileSync(file, join(dir, file));
  const npm = spawn('npm', ['run', '-s', 'sluice', '--', '--version'], {
    cwd: dir,
    env: { ...inheritedEnvironment(), HOME: await createDirectory() },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  onTestFinished(() => kill(npm, -(npm.pid as number)));
  const ended = once(npm, 'exit');
  // npm, its script and the npm that installs.
  const family = await until(() => {
    const members = familyOf(npm.pid as number);
    return members.length >= 3 && members;
  });
  npm.kill('SIGTERM');
  expect(await ended).not.toEqual([0, null]);
  await until(() => areGone(family));
});

/** Sends itself SIGTERM while what it imports is still being loaded. */
const signalsItself = `--import=data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  let isSent = false;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'zod' && !isSent) {
        isSent = true;
        process.kill(process.pid, 'SIGTERM');
      }
      return next(specifier, context);
    },
  });`)}`;

test.each([
  ['cli/main.ts', ['worker', 'execution-log']],
  ['workers/main.ts', ['execution-log']],
])(
  'first instant: %s as process 1 does not lose a signal that comes while it is loaded, and ends with 0',
  async (file, args) => {
    // In a process namespace of its own, where this machine lets us have one.
    const asProcess1 = 'if unshare -pf true 2>/dev/null; then exec unshare -pf --kill-child "$@"; else exec "$@"; fi';
    const child = spawn('sh', ['-c', asProcess1, 'sh', process.execPath, signalsItself, resolve(file), ...args], {
      env: { ...inheritedEnvironment(), ...(await place()) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    onTestFinished(() => kill(child));
    expect(await once(child, 'exit')).toEqual([0, null]);
  },
);
