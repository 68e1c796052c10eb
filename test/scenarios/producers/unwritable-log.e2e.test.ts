import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';
import { redirected, type UnwritableOutput, unwritableOutputs } from '../../support/unwritable-outputs.ts';

/** A service with an observer and no Redis, whose standard error is the given output. */
async function startHost(output: UnwritableOutput) {
  const [command = '', ...args] = redirected(2, output, [
    process.execPath,
    resolve('test/support/logging-host-process.ts'),
  ]);
  const host = spawn(command, args, {
    env: {
      ...inheritedEnvironment(),
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      DSL_EXECUTION_LOG_SAMPLE_RATE: '1',
    },
    stdio: ['ignore', 'ignore', output.stdio, 'ipc'],
  });
  onTestFinished(() => void host.kill('SIGKILL'));
  const ended = once(host, 'exit');
  const [{ port }] = (await Promise.race([
    once(host, 'message'),
    ended.then((how) => Promise.reject(new Error(`the host ended: ${how}`))),
  ])) as [{ port: number }];
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) })).text();
  const dropped = async () => Number(/^sluice_log_lines_dropped_total (\d+)$/m.exec(await ask())?.[1] ?? 0);
  return { host, ended, dropped };
}

test.each(Object.keys(unwritableOutputs))(
  'log of the SDK: with %s as standard error the host lives, and ends when it wants to',
  async (name) => {
    const output = await unwritableOutputs[name]?.();
    const { host, ended, dropped } = await startHost(output as UnwritableOutput);
    await until(async () => (await dropped()) > 1_000 || name === 'a descriptor that is closed');
    await dropped();
    host.kill('SIGTERM');
    const end = await Promise.race([ended, new Promise((done) => setTimeout(done, 8_000, 'still there'))]);
    expect(end).toEqual([0, null]);
  },
);

test('log of the SDK: when there is room again, it goes on, whole lines only, and says how many were lost', async () => {
  const file = join(await createDirectory(), 'log');
  const log = await open(file, 'a');
  onTestFinished(() => log.close());
  // In blocks of 512 bytes; no multiple of a line, so that one is written in part.
  const { host, ended, dropped } = await startHost({ stdio: log.fd, redirection: 'ulimit -f 100' });
  await until(async () => (await dropped()) > 1_000);
  const last = readFileSync(file, 'utf8');
  expect(last).toHaveLength(100 * 512);
  truncateSync(file, 0);

  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const loss = await until(() => lines().find((line) => line.includes('were dropped')));
  expect(JSON.parse(loss)).toMatchObject({ level: 40, name: 'sluice-producer', lines: expect.any(Number) });
  host.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});
