import { expect, inject, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import type { Finding } from '../../../doctor/finding.ts';
import { createNamespace, createTestDatabase } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { startFragileRedis } from '../../support/private-servers.ts';

async function run(args: string[], environment: Record<string, string>) {
  const call = await startSluice(['doctor', ...args], environment);
  const exitCode = await call.ended;
  return { exitCode, stdout: call.stdout.join('\n'), stderr: call.stderr.join('\n') };
}

test('doctor: after a migration all is well, and the exit code is 0; a failure makes it 1', async () => {
  const redis = await startFragileRedis();
  const environment = { DATABASE_URL: await createTestDatabase(), REDIS_URL: redis.url };
  const before = await run(['--json'], environment);
  expect(before.exitCode).toBe(1);
  expect(JSON.parse(before.stdout)).toMatchObject({ worst: 'failure' });

  expect(await (await startSluice(['migrate'], environment)).ended).toBe(0);
  const after = await run(['--json'], environment);
  const { worst, findings } = JSON.parse(after.stdout);
  expect(findings.filter(({ level }: { level: string }) => level !== 'ok')).toEqual([]);
  expect(worst).toBe('ok');
  expect(after.exitCode).toBe(0);
});

test('doctor: as text it has a line for each finding and no colours; warnings leave the exit code 0', async () => {
  const redis = await startFragileRedis();
  const environment = { DATABASE_URL: await createTestDatabase(), REDIS_URL: redis.url, SLUICE_NAMESPCAE: 'x' };
  expect(await (await startSluice(['migrate'], environment)).ended).toBe(0);
  const { exitCode, stdout } = await run([], environment);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^! warning {2}configuration +variables +.*SLUICE_NAMESPCAE/m);
  expect(stdout).toMatch(/^✓ ok +postgres +migrations/m);
  expect(stdout).not.toContain('\u001b');
});

test('doctor: with both servers away it says so, and ends', async () => {
  const port = await freePort();
  const { exitCode, stdout } = await run([], {
    DATABASE_URL: `postgresql://user:pg-s3cret@127.0.0.1:${port}/none`,
    REDIS_URL: `redis://:redis-s3cret@127.0.0.1:${port}`,
  });
  expect(exitCode).toBe(1);
  expect(stdout.match(/^✗ failure/gm)).toHaveLength(2);
  expect(stdout).not.toContain('s3cret');
});

test('doctor: what is wrong with variables of any process are findings, and it looks at the rest all the same', async () => {
  const { exitCode, stdout } = await run(['--json'], {
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    SLUICE_CONSOLE_PORT: 'tcp://10.0.0.1:9464',
    SLUICE_WORKER_CONCURRENCY: 'many',
    DATABASE_URL: 'mysql://root:s3cret@host/shop',
  });
  expect(exitCode).toBe(1);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  const values = findings.filter(({ check }) => check === 'values');
  expect(values.map(({ level, message }) => [level, message.split(' ')[0]])).toEqual([
    ['failure', 'DATABASE_URL'],
    ['failure', 'SLUICE_WORKER_CONCURRENCY'],
    ['warning', 'SLUICE_CONSOLE_PORT'],
  ]);
  expect(findings).toContainEqual(expect.objectContaining({ subject: 'redis', check: 'connection', level: 'ok' }));
  expect(stdout).not.toContain('s3cret');
});

test.each(['redis://:s3cret@host/abc', 'redis://:s3cret%zz@host'])(
  'doctor: %j as REDIS_URL is a failure, with what is accepted and without its password',
  async (url) => {
    const { exitCode, stdout, stderr } = await run([], { REDIS_URL: url });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('REDIS_URL has an invalid value (not shown); accepted: a URL that starts with redis://');
    expect(`${stdout}${stderr}`).not.toContain('s3cret');
  },
);
