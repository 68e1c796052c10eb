import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createDirectory } from './fixtures.ts';

/** An output that a process is given, and that takes nothing. */
export interface UnwritableOutput {
  /** for the process to inherit */
  stdio: number | 'pipe' | 'ignore';
  /** what a shell does with it before it becomes the process; `%` stands for the number of the output */
  redirection: string;
}

/** How an output can fail to take what is written, by what is at its other end. */
export const unwritableOutputs: Record<string, () => Promise<UnwritableOutput>> = {
  'a full device': async () => ({ stdio: openedFor('/dev/full', constants.O_WRONLY), redirection: '' }),
  'a file that may not grow': async () => ({
    stdio: openedFor(join(await createDirectory(), 'log'), constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND),
    redirection: 'ulimit -f 0',
  }),
  'a descriptor that is closed': async () => ({ stdio: 'ignore', redirection: 'exec %>&-' }),
  'a pipe whose reader has gone': async () => {
    const path = await createPipe();
    const reader = openSync(path, constants.O_RDWR);
    const stdio = openedFor(path, constants.O_WRONLY);
    closeSync(reader);
    return { stdio, redirection: '' };
  },
  'a full pipe that nobody reads': async () => {
    const path = await createPipe();
    fill(openedFor(path, constants.O_RDWR | constants.O_NONBLOCK));
    return { stdio: openedFor(path, constants.O_WRONLY), redirection: '' };
  },
  // Node makes sockets of such pipes.
  'a socket that nobody reads': async () => ({ stdio: 'pipe', redirection: '' }),
};

/** The words that start a program with one of its outputs, 1 or 2, redirected as an unwritable one wants it. */
export function redirected(output: 1 | 2, { redirection }: UnwritableOutput, program: readonly string[]): string[] {
  const prelude = redirection === '' ? '' : `${redirection.replaceAll('%', String(output))}; `;
  return ['sh', '-c', `${prelude}exec "$@"`, 'sh', ...program];
}

async function createPipe(): Promise<string> {
  const path = join(await createDirectory(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

function openedFor(path: string, flags: number): number {
  const fd = openSync(path, flags, 0o600);
  onTestFinished(() => closeSync(fd));
  return fd;
}

function fill(fd: number): void {
  for (const size of [4_096, 1]) {
    try {
      for (;;) writeSync(fd, 'x'.repeat(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
