import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { DrainResult, ObserverStats } from '../../producers/index.ts';

/** What a producer process prints. */
export interface ProducerLine extends ObserverStats {
  buffered: number;
  rss: number;
  /** on its last line, when it was stopped with SIGTERM */
  closed?: DrainResult;
}

const script = resolve('test/support/producer-process.ts');

/**
 * Starts a producer as its own process, and kills it when the test has finished.
 *
 * @param wrapper a command line to run it under
 */
export function startProducer(environment: Record<string, string>, wrapper: string[] = []) {
  const [command = '', ...args] = [...wrapper, process.execPath, script];
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'] ?? '', DSL_EXECUTION_LOG_SAMPLE_RATE: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: ProducerLine[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as ProducerLine));
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
    /** the accounts that it printed last */
    get last(): ProducerLine | undefined {
      return lines.at(-1);
    },
    ended,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  };
}
