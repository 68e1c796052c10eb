import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { scrape } from '../../../bench/scrape.ts';
import { freePort } from '../../../dev/servers/free-port.ts';
import { createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';
import { redirected, type UnwritableOutput, unwritableOutputs } from '../../support/unwritable-outputs.ts';

/** A worker or the console, whose standard output and standard error are the same output. */
async function startProcess(program: readonly string[], output: UnwritableOutput) {
  const port = String(await freePort());
  const both = { ...output, redirection: output.redirection.replace('%>&-', '1>&- 2>&-') };
  const [command = '', ...args] = redirected(1, both, [process.execPath, ...program]);
  const child = spawn(command, args, {
    env: {
      ...inheritedEnvironment(),
      DATABASE_URL: await createTestDatabase(),
      REDIS_URL: inject('redisUrl'),
      SLUICE_NAMESPACE: createNamespace(),
      SLUICE_WORKER_PORT: port,
      SLUICE_CONSOLE_PORT: port,
      // Something to say on standard error as well.
      SLUICE_UNKNOWN: '1',
    },
    stdio: ['ignore', output.stdio, output.stdio],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await until(async () => child.exitCode !== null || (await fetch(`${url}/readyz`)).ok);
  expect(child.exitCode).toBeNull();
  return { child, ended, url };
}

const programs: Record<string, string[]> = {
  'sluice worker': [resolve('cli/main.ts'), 'worker', 'execution-log', 'maintenance'],
  'workers/main.ts': [resolve('workers/main.ts'), 'execution-log'],
  'sluice console': [resolve('cli/main.ts'), 'console'],
};

const cases = Object.keys(programs).flatMap((program) =>
  Object.keys(unwritableOutputs).map((output) => [program, output]),
);

test.each(cases)(
  'log: %s with %s as its outputs works, answers its probes, and stops in time with 0',
  async (program, name) => {
    const output = await unwritableOutputs[name ?? '']?.();
    const { child, ended, url } = await startProcess(programs[program ?? ''] ?? [], output as UnwritableOutput);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const dropped = await scrape(`${url}/metrics`, 'sluice_log_lines_dropped_total', {});
    // A closed descriptor is the null device to Node, which takes all; the socket has room, and so has a queue for a pipe.
    if (name === 'a full device' || name?.includes('grow') || name?.includes('gone'))
      expect(dropped).toBeGreaterThan(0);
    child.kill('SIGTERM');
    const end = await Promise.race([ended, new Promise((done) => setTimeout(done, 20_000, 'still there'))]);
    expect(end).toEqual([0, null]);
  },
);
