import { connect as open } from 'node:net';
import { expect, inject, test } from 'vitest';
import { operatorToken } from '../../../support/a-console.ts';
import { connect, createNamespace, createTestDatabase, until, untilBlocked } from '../../../support/fixtures.ts';
import { startSluice } from '../../../support/fleet.ts';
import { createHealthKeys } from '../../../support/health.ts';

/** A console in a process of its own, at a free port. */
async function startConsole(environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const console = await startSluice(['console'], {
    DATABASE_URL: databaseUrl,
    REDIS_URL: inject('redisUrl'),
    SLUICE_CONSOLE_PORT: '0',
    ...environment,
  });
  const log = () => console.stdout.map((line) => JSON.parse(line) as { msg: string; url?: string });
  const up = until(() => log().find(({ msg }) => msg === 'console is up')?.url);
  const started = await Promise.race([up, console.ended]);
  if (typeof started !== 'string' || !started.startsWith('http')) throw new Error(console.stderr.join('\n'));
  return { ...console, url: started, log, databaseUrl, client: await connect(databaseUrl) };
}

test('console: it comes up on loopback without a token, is ready, and stops when it is asked to', async () => {
  const { url, kill, ended, stderr } = await startConsole();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await until(async () => (await fetch(`${url}/readyz`)).status === 200);
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  expect((await fetch(`${url}/api/v1/strategies`)).status).toBe(200);
  expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
  await until(async () => {
    const { queues } = (await (await fetch(`${url}/api/v1/queues`)).json()) as { queues: { rates: unknown }[] };
    return queues[0]?.rates;
  });
  kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(stderr).toEqual([]);
});

test('console: a request that is under way when it is asked to stop is answered', async () => {
  const { url, kill, ended, log, client, databaseUrl } = await startConsole();
  await until(async () => (await fetch(`${url}/readyz`)).status === 200);
  await client.query('begin; lock table runtime_record in access exclusive mode');
  const answer = fetch(`${url}/api/v1/runtime-records`);
  await untilBlocked(databaseUrl);
  kill('SIGTERM');
  await until(() => log().some(({ msg }) => msg === 'console is stopping'));
  // It has stopped to listen, and waits.
  await until(() =>
    fetch(`${url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  await client.query('rollback');
  expect((await answer).status).toBe(200);
  expect(await ended).toBe(0);
});

test('console: a public address without a token is refused, before anything listens', async () => {
  for (const host of ['0.0.0.0', '::', 'console.example']) {
    const call = await startSluice(['console'], {
      DATABASE_URL: inject('postgresUrl'),
      REDIS_URL: inject('redisUrl'),
      SLUICE_CONSOLE_PORT: '0',
      SLUICE_CONSOLE_HOST: host,
      SLUICE_METRICS_TOKEN: 'a-token-of-a-scraper',
    });
    expect(await call.ended, host).toBe(2);
    expect(call.stderr.join('\n')).toMatch(/SLUICE_CONSOLE_HOST: ".*" is reachable from other machines/);
    expect(call.stdout).toEqual([]);
  }
});

test('console: with a token it may be public, and asks for it', async () => {
  const { url, kill, ended, stdout } = await startConsole({
    SLUICE_CONSOLE_HOST: '0.0.0.0',
    SLUICE_CONSOLE_OPERATOR_TOKEN: operatorToken,
  });
  const port = new URL(url).port;
  const ask = (headers: Record<string, string>) => fetch(`http://127.0.0.1:${port}/api/v1/requests`, { headers });
  expect((await ask({})).status).toBe(401);
  expect((await ask({ authorization: 'Bearer wrong' })).status).toBe(401);
  expect((await ask({ authorization: `Bearer ${operatorToken}` })).status).toBe(200);
  kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(stdout.join('\n')).not.toContain(operatorToken);
});

test('console: what is no HTTP is answered in the form of all errors, or not at all', async () => {
  const { url } = await startConsole();
  const say = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = open(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
      let heard = '';
      socket.on('data', (data) => {
        heard += String(data);
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', reject);
    });
  expect(await say('HELLO\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*"status":400}$/s);
  const large = `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`;
  expect(await say(large)).toMatch(/^HTTP\/1\.1 431 .*"status":431}$/s);
  expect(await say('GET / HTTP/1.1\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
});

test('console: a port that is taken, or a URL that is missing, is told as such', async () => {
  const { url } = await startConsole();
  const taken = await startSluice(['console'], {
    DATABASE_URL: inject('postgresUrl'),
    REDIS_URL: inject('redisUrl'),
    SLUICE_CONSOLE_PORT: new URL(url).port,
  });
  expect(await taken.ended).toBe(1);
  expect(taken.stderr.join('\n')).toMatch(
    /^sluice: SLUICE_CONSOLE_HOST, SLUICE_CONSOLE_PORT: listen EADDRINUSE.*choose another port/m,
  );
  const missing = await startSluice(['console'], { DATABASE_URL: inject('postgresUrl'), SLUICE_CONSOLE_PORT: '0' });
  expect(await missing.ended).toBe(2);
  expect(missing.stderr.join('\n')).toContain('REDIS_URL is not set');
});

test('start: the fleet has a console, says where it is, and it answers', async () => {
  const fleet = await startSluice(['start'], {
    DATABASE_URL: await createTestDatabase(),
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    SLUICE_WORKERS: '1',
    ...createHealthKeys().environment,
  });
  const url = await until(() => fleet.stderr.flatMap((line) => /console: (http:\S+)$/.exec(line)?.[1] ?? [])[0]);
  await until(async () => (await fetch(`${url}/readyz`)).status === 200);
  // A worker is counted when its connection has its name.
  await until(async () => {
    const { queues } = (await (await fetch(`${url}/api/v1/queues`)).json()) as { queues: { workers: number }[] };
    return queues.every(({ workers }) => workers === 1);
  });
  fleet.kill('SIGTERM');
  expect(await fleet.ended).toBe(0);
  expect(await fetch(url).catch(() => null)).toBeNull();
});
