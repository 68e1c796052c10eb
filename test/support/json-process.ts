import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { inheritedEnvironment } from './inherited-environment.ts';

/**
 * Starts a script of this folder that prints lines of JSON, as a process of its own, and kills it when the test has
 * finished.
 *
 * @param wrapper a command line to run it under
 */
export function startJsonProcess<Line>(script: string, environment: Record<string, string>, wrapper: string[] = []) {
  const [command = '', ...args] = [...wrapper, process.execPath, resolve('test/support', script)];
  const child = spawn(command, args, {
    env: { ...inheritedEnvironment(), ...environment },
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
