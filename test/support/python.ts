import { execFile, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { installPackage } from '../../dev/servers/install-package.ts';
import { inheritedEnvironment } from './inherited-environment.ts';

const run = promisify(execFile);

/** The package of the client's Python code. */
export const clientDir = resolve('clients/python');

/** The system's first: what apt installs belongs to it. */
const candidates = ['/usr/bin/python3', 'python3'];

/** Modules that tests need beside the standard library, and the packages of Debian that have them. */
const packages = {
  prometheus_client: 'python3-prometheus-client',
  mypy: 'mypy',
  setuptools: 'python3-setuptools',
  wheel: 'python3-wheel',
  gunicorn: 'gunicorn',
} as const;

/**
 * The path of a Python of version 3.9 or later that has these modules; installs it, and them, where that is possible.
 *
 * @throws Error that says what to install
 */
export async function findPython(...modules: (keyof typeof packages)[]): Promise<string> {
  const python = (await findInterpreter()) ?? (await install('python3', findInterpreter));
  for (const module of modules) {
    const find = () => runs(python, `import ${module}`);
    if ((await find()) === null) await install(packages[module], find);
  }
  return python;
}

async function findInterpreter(): Promise<string | null> {
  for (const candidate of candidates) {
    const found = await runs(candidate, 'import sys; sys.exit(sys.version_info < (3, 9))');
    if (found !== null) return found;
  }
  return null;
}

async function install(apt: string, find: () => Promise<string | null>): Promise<string> {
  await installPackage({ apt }, process.env);
  const found = await find();
  if (found === null)
    throw new Error(
      `The Python client cannot be tested without ${apt}. Install it (Debian/Ubuntu: apt-get install ${apt}).`,
    );
  return found;
}

async function runs(python: string, code: string): Promise<string | null> {
  return run(python, ['-c', code]).then(
    () => python,
    () => null,
  );
}

/** What Python programs of tests are started with: the client as it is in the tree, and nothing written beside it. */
export function pythonEnvironment(): Record<string, string> {
  return {
    ...inheritedEnvironment(),
    PYTHONPATH: [resolve(clientDir, 'src'), clientDir].join(':'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/**
 * Starts a program of `clients/python/tests/services/` that prints lines of JSON, and kills it when the test has finished.
 */
export async function startPythonProcess<Line>(script: string, environment: Record<string, string>) {
  return startPython<Line>(await findPython(), [resolve(clientDir, 'tests/services', script)], environment);
}

/** The same for any arguments of the interpreter. */
export function startPython<Line>(python: string, args: string[], environment: Record<string, string>) {
  const child = spawn(python, args, {
    env: { ...pythonEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  const ended = new Promise<number | string>((done) =>
    child.once('close', (code, signal) => done(signal ?? code ?? -1)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    lines,
    stderr,
    /** what it printed last */
    get last(): Line | undefined {
      return lines.at(-1);
    },
    ended,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  };
}
