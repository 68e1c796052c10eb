import { expect, inject, test } from 'vitest';
import { freePort } from '../../../local/free-port.ts';
import { connect, until } from '../../support/fixtures.ts';
import { aConsole } from './a-console.ts';

const needsRedis = ['/api/v1/queues', '/api/v1/scaling', '/api/v1/health-events', '/queues/api/queues'];

test('outage: without Redis its routes are unavailable at once, and all others answer', async () => {
  const { ask, get, log } = await aConsole({ REDIS_URL: `redis://:s3cret@127.0.0.1:${await freePort()}` });
  for (const url of needsRedis) {
    const { status, headers, body, text } = await get(url);
    expect(status, url).toBe(503);
    expect(headers['retry-after']).toBe('5');
    expect(body.detail).toBe('Redis did not answer');
    expect(text).not.toContain('s3cret');
  }
  const replay = await ask('POST', '/api/v1/dead-letters/replay', { body: { all: true } });
  expect(replay).toMatchObject({ status: 503, body: { detail: 'Redis did not answer; nothing was put back' } });
  for (const url of [
    '/api/v1/strategies',
    '/api/v1/requests',
    '/api/v1/dead-letters',
    '/healthz',
    '/metrics',
    '/queues',
  ])
    expect((await get(url)).status, url).toBe(200);
  await until(async () => (await get('/readyz')).body.detail === 'Redis did not answer');
  expect(JSON.stringify(log)).not.toContain('s3cret');
});

test('outage: without PostgreSQL its routes are unavailable, and nothing of it is told', async () => {
  const url = new URL(inject('postgresUrl'));
  url.port = String(await freePort());
  url.password = 's3cret';
  const { get, log } = await aConsole({ DATABASE_URL: url.href });
  for (const path of [
    '/api/v1/strategies',
    '/api/v1/strategies/s',
    '/api/v1/executions?strategyId=s',
    '/api/v1/requests',
    '/api/v1/dead-letters',
    '/api/v1/runtime-records',
  ]) {
    const { status, body } = await get(path);
    expect(status, path).toBe(503);
    expect(body.detail).toBe('PostgreSQL did not answer');
  }
  expect((await get('/api/v1/queues')).status).toBe(200);
  await until(async () => (await get('/readyz')).body.detail === 'PostgreSQL did not answer');
  expect((await get('/healthz')).status).toBe(200);
  expect(log.length).toBeGreaterThan(0);
  expect(JSON.stringify(log)).not.toContain('s3cret');
});

test('bounds: a statement that takes too long ends, and the caller is told to ask for less', async () => {
  const { get, databaseUrl } = await aConsole({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300' });
  const other = await connect(databaseUrl);
  await other.query('begin; lock table runtime_record in access exclusive mode');
  const { status, body } = await get('/api/v1/runtime-records');
  await other.query('rollback');
  expect(status).toBe(504);
  expect(body.type).toBe('urn:sluice:problem:timed-out');
  expect((await get('/api/v1/runtime-records')).status).toBe(200);
});
