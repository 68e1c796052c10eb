import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { connect, createTestDatabase } from '../../support/fixtures.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';
import { insertRuns } from '../../support/run-rows.ts';
import { createRunner } from '../../support/run-sluice.ts';

test('output: a slow reader gets all of it, and one that leaves is no failure', async () => {
  const databaseUrl = await createTestDatabase();
  // More than a pipe holds, many times over.
  const rows = Array.from({ length: 200 }, (_, n) => ({ caseName: `${n} ${'x'.repeat(4_000)}`, at: new Date() }));
  await insertRuns(await connect(databaseUrl), rows);
  const call = () =>
    spawn(process.execPath, [resolve('cli/main.ts'), 'executions', 'list', '--limit', '200', '--json'], {
      env: { ...inheritedEnvironment(), DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const slow = call();
  const hasEnded = once(slow, 'exit');
  // The beginning is there, so all of it has been written by the command; nobody has taken the rest yet.
  await once(slow.stdout, 'readable');
  await Promise.race([hasEnded, new Promise((done) => setTimeout(done, 1_000))]);
  expect((JSON.parse(await text(slow.stdout)) as { executions: unknown[] }).executions).toHaveLength(200);
  expect(await hasEnded).toEqual([0, null]);

  const left = call();
  left.stdout.once('data', () => left.stdout.destroy());
  const [stderr, ended] = await Promise.all([text(left.stderr), once(left, 'exit')]);
  expect({ stderr, ended }).toEqual({ stderr: '', ended: [0, null] });
});

test('output: an export that is asked to stop ends, whether or not its reader takes what was written', async () => {
  const databaseUrl = await createTestDatabase();
  const rows = Array.from({ length: 200 }, (_, n) => ({ caseName: `${n} ${'x'.repeat(40_000)}`, at: new Date() }));
  await insertRuns(await connect(databaseUrl), rows);
  const call = spawn(process.execPath, [resolve('cli/main.ts'), 'export', 'executions', '--since', 'all'], {
    env: { ...inheritedEnvironment(), DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void call.kill('SIGKILL'));
  const hasEnded = Promise.all([once(call, 'exit'), text(call.stderr)]);
  // The pipe is full, and nobody reads on.
  await once(call.stdout, 'readable');
  call.kill('SIGTERM');
  expect(await hasEnded).toEqual([[1, null], expect.stringMatching(/rows exported in .* s, stopped\n$/)]);
});

test('output: what was typed wrongly is quoted without speaking to the terminal', async () => {
  const { exitCode, stderr } = await createRunner({})('executions', 'show', 'a\u001b[2J\u009b5n');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('a\\x1b[2J\\x9b5n');
  expect(stderr).not.toMatch(/(?!\n)\p{Cc}/u);
});

test('output: a PostgreSQL that takes connections and says nothing is given up in time, and named', async () => {
  const port = await freePort();
  const silent = createServer(() => undefined).listen(port, '127.0.0.1');
  onTestFinished(() => void silent.close());
  const run = createRunner({
    DATABASE_URL: `postgresql://sluice:s3cret@127.0.0.1:${port}/sluice`,
    SLUICE_DATABASE_CONNECT_TIMEOUT_MS: '500',
  });
  const { exitCode, stderr } = await run('executions', 'list');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^sluice: PostgreSQL: /);
  expect(stderr).not.toContain('s3cret');
});
