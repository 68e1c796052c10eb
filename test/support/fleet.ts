import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { createDirectory } from './fixtures.ts';
import { inheritedEnvironment } from './inherited-environment.ts';

/** A `sluice` command in a process of its own. */
export interface SluiceProcess {
  pid: number;
  /** lines of standard output and standard error so far */
  stdout: string[];
  stderr: string[];
  /** how it ended: the exit code, or the signal's name */
  ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

const cli = resolve('cli/main.ts');

/** Starts `sluice …` as its own process, in a directory of its own, and kills it when the test has finished. */
export async function startSluice(
  args: string[],
  environment: Record<string, string>,
  cwd?: string,
): Promise<SluiceProcess> {
  const child: ChildProcess = spawn(process.execPath, [cli, ...args], {
    cwd: cwd ?? (await createDirectory()),
    env: { ...inheritedEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: string[] = [];
  const stderr: string[] = [];
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  const ended = new Promise<number | string>((done) =>
    child.once('close', (code, signal) => done(signal ?? code ?? -1)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { pid: child.pid ?? -1, stdout, stderr, ended, kill: (signal) => child.kill(signal) };
}
