import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { commandLine, stopProcess } from '../../../dev/servers/processes.ts';
import { connect, createDirectory, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { type SluiceProcess, startSluice } from '../../support/fleet.ts';
import { createHealthKeys } from '../../support/health.ts';

const workerPort = { SLUICE_WORKERS: '1' };

function isReady({ stderr }: SluiceProcess): boolean {
  return stderr.some((line) => line.includes('ready.'));
}

/** The servers of a data directory: from the files in which they write who they are. */
function serverPids(dir: string): number[] {
  const postgres = Number(readFileSync(join(dir, '.sluice/postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
  const redis = JSON.parse(readFileSync(join(dir, '.sluice/redis/state.json'), 'utf8')).pid;
  return [postgres, redis];
}

/** What under a directory, or itself, another user may read or write. */
function openToOthers(dir: string): string[] {
  const found = execFileSync('find', [dir, '-perm', '/077', '-not', '-type', 'l'], { encoding: 'utf8' });
  return found.split('\n').filter((path) => path !== '');
}

function childrenOf(pid: number): number[] {
  return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/)
    .map(Number);
}

async function areGone(pids: number[]): Promise<boolean> {
  const lines = await Promise.all(pids.map(commandLine));
  return lines.every((line) => line === null);
}

test('start: brings everything up, refuses a second fleet, and leaves nothing behind on SIGINT', async () => {
  const dir = await createDirectory();
  // As an earlier version made it, or one that was started by hand.
  mkdirSync(join(dir, '.sluice'));
  writeFileSync(join(dir, '.sluice/env'), '');
  for (const path of ['.sluice', '.sluice/env']) chmodSync(join(dir, path), 0o777);
  const fleet = await startSluice(['start'], workerPort, dir);
  await until(() => isReady(fleet));
  const servers = serverPids(dir);
  expect(openToOthers(join(dir, '.sluice'))).toEqual([]);

  const second = await startSluice(['start'], workerPort, dir);
  expect(await second.ended).toBe(2);
  expect(second.stderr.join('\n')).toContain(`process ${fleet.pid}`);

  fleet.kill('SIGINT');
  expect(await fleet.ended).toBe(0);
  expect(await areGone(servers)).toBe(true);
  expect(existsSync(join(dir, '.sluice/fleet.pid'))).toBe(false);
  expect(existsSync(join(dir, '.sluice/postgres/data/postmaster.pid'))).toBe(false);
});

test('start: takes over what a killed run left behind, and its workers had stopped by themselves', async () => {
  const dir = await createDirectory();
  const killed = await startSluice(['start'], workerPort, dir);
  await until(() => isReady(killed));
  const servers = serverPids(dir);
  onTestFinished(() => Promise.all(servers.map((pid) => stopProcess(pid, 'SIGKILL', 1_000))).then(() => undefined));
  killed.kill('SIGKILL');
  await killed.ended;
  await until(() =>
    readFileSync(join(dir, '.sluice/logs/worker-1.log'), 'utf8').includes('the parent process has exited'),
  );

  const fleet = await startSluice(['start'], workerPort, dir);
  await until(() => isReady(fleet));
  expect(fleet.stderr.filter((line) => line.includes('reused from an earlier run'))).toHaveLength(2);
  expect(serverPids(dir)).toEqual(servers);
  fleet.kill('SIGTERM');
  expect(await fleet.ended).toBe(0);
  expect(await areGone(servers)).toBe(true);
});

test('sluice: wrong calls and wrong configuration exit with 2, and say what is accepted', async () => {
  const calls: [string[], Record<string, string>, RegExp][] = [
    [['worker', 'nope'], {}, /Allowed choices are execution-log/],
    [['nope'], {}, /unknown command/],
    [['demo', '--executions', '-1'], {}, /whole number/],
    [['worker', 'execution-log'], {}, /DATABASE_URL is not set/],
    [['migrate'], { DATABASE_URL: 'mysql://root:secret@h/x' }, /DATABASE_URL .* postgresql:\/\//],
  ];
  for (const [args, environment, said] of calls) {
    const call = await startSluice(args, environment);
    expect(await call.ended, args.join(' ')).toBe(2);
    expect(call.stderr.join('\n')).toMatch(said);
    expect(call.stderr.join('\n')).not.toContain('secret');
  }
});

test('demo: one of two workers killed in the middle changes nothing about the accounts', async () => {
  const environment = {
    DATABASE_URL: await createTestDatabase(),
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    ...createHealthKeys().environment,
    SLUICE_LOCK_DURATION_MS: '1000',
    SLUICE_STALLED_INTERVAL_MS: '500',
  };
  const args = ['demo', '--executions', '20000', '--rate', '20000', '--sample-rate', '1', '--exit', '--json'];
  const demo = await startSluice(args, environment);
  const client = await connect(environment.DATABASE_URL);
  await until(async () => ((await client.query('select from strategy_execution_log limit 501')).rowCount ?? 0) > 500);
  const [worker] = childrenOf(demo.pid);
  process.kill(worker ?? 0, 'SIGKILL');

  expect(await demo.ended).toBe(0);
  expect(demo.stderr.join('\n')).toContain('was killed with SIGKILL');
  expect(JSON.parse(demo.stdout.at(-1) ?? '')).toMatchObject({
    sent: 20_000,
    stored: 20_000,
    unaccounted: 0,
    reconciled: true,
  });
});
