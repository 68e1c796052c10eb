import { expect, inject, onTestFinished, test } from 'vitest';
import { toProblem } from '../../../../console/server/http/to-problem.ts';
import { freePort } from '../../../../dev/servers/free-port.ts';
import { createRedis } from '../../../../shared/platform/redis/redis.ts';
import { aConsole } from '../../../support/a-console.ts';
import { connect, until, untilBlocked } from '../../../support/fixtures.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';
import { targetOf } from '../../../support/redis-target.ts';
import { insertDeadLetter } from '../../../support/seed-console.ts';

const thrownBy = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

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
  expect(replay).toMatchObject({ status: 503, body: { detail: 'Redis did not answer; nothing was replayed' } });
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

test('outage: a Redis that says nothing is waited for two seconds, and asked again when it speaks', async () => {
  const server = await startFragileRedis();
  const { ask, client, get } = await aConsole({ REDIS_URL: server.url });
  await insertDeadLetter(client);
  await until(async () => (await get('/queues/api/queues')).status === 200);
  server.freeze();
  const began = performance.now();
  const answers = await Promise.all([
    ...needsRedis.map((url) => get(url)),
    ask('PUT', '/queues/api/queues/pause'),
    ask('POST', '/api/v1/dead-letters/replay', { body: { all: true } }),
  ]);
  expect(performance.now() - began).toBeLessThan(8_000);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
  server.thaw();
  for (const url of needsRedis) await until(async () => (await get(url)).status === 200);
  expect((await ask('POST', '/api/v1/dead-letters/replay', { body: { all: true } })).body.replayed).toBe(1);
});

test('outage: however Redis goes away in the middle of an answer, it is Redis that was', async () => {
  const server = await startFragileRedis();
  const open = async () => {
    const redis = createRedis(targetOf(server.url), { role: 'consumer', name: 'test', logger: null, silenceMs: 100 });
    onTestFinished(() => redis.disconnect());
    await redis.connect();
    return redis;
  };
  const [left, silent, killed] = [await open(), await open(), await open()];
  left.disconnect();
  const errors = [await thrownBy(left.ping())];
  server.freeze();
  errors.push(await thrownBy(silent.ping()));
  server.thaw();
  const blocked = thrownBy(killed.blpop('nothing', 5));
  await server.kill();
  errors.push(await blocked, await thrownBy(killed.ping()));
  const told = errors.map((error) => toProblem(error).status);
  expect(told, errors.map(String).join('\n')).toEqual([503, 503, 503, 503]);
});

test('outage: a Redis that goes away while dead letters are put back leaves them open, and the caller is told', async () => {
  const server = await startFragileRedis();
  const { ask, client, databaseUrl } = await aConsole({ REDIS_URL: server.url });
  await insertDeadLetter(client);
  const other = await connect(databaseUrl);
  await other.query('begin; lock table dead_letter in access exclusive mode');
  const replay = ask('POST', '/api/v1/dead-letters/replay', { body: { all: true } });
  await untilBlocked(databaseUrl);
  await server.kill();
  await other.query('rollback');
  const { status, body } = await replay;
  expect([status, body.detail]).toEqual([503, expect.stringMatching(/repeat the request/)]);
  expect((await client.query('select state from dead_letter')).rows).toEqual([{ state: 'open' }]);
});

test('outage: without PostgreSQL its routes are unavailable, and nothing of it is told', async () => {
  const url = new URL(inject('postgresUrl'));
  url.port = String(await freePort());
  url.password = 's3cret';
  const { get, log } = await aConsole({ DATABASE_URL: url.href });
  for (const path of [
    '/api/v1/strategies',
    '/api/v1/strategy?strategyId=s',
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

test('bounds: a statement that takes too long ends, there too, and the caller is told to ask for less', async () => {
  const { get, databaseUrl } = await aConsole({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300' });
  const other = await connect(databaseUrl);
  await other.query('begin; lock table runtime_record, strategy_execution_log in access exclusive mode');
  const urls = [
    '/api/v1/runtime-records',
    '/api/v1/strategies',
    '/api/v1/strategy?strategyId=s',
    '/api/v1/comparison?a=s&b=t',
  ];
  for (const url of urls) {
    const { status, body } = await get(url);
    expect([status, body.type], url).toEqual([504, 'urn:sluice:problem:timed-out']);
  }
  const { rowCount } = await other.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  await other.query('rollback');
  expect(rowCount).toBe(0);
  for (const url of urls) expect((await get(url)).status, url).toBe(200);
});

test('bounds: who finds all connections busy is told to come again', async () => {
  const { ask, databaseUrl, get } = await aConsole({
    SLUICE_DATABASE_POOL_SIZE: '1',
    SLUICE_BATCH_MAX_IN_FLIGHT: '1',
    SLUICE_DATABASE_CONNECT_TIMEOUT_MS: '200',
  });
  // So that the first one has its connection, which takes longer than 200 ms on a busy machine.
  await until(async () => (await get('/api/v1/runtime-records')).status === 200);
  const other = await connect(databaseUrl);
  await other.query('begin; lock table runtime_record in access exclusive mode');
  const first = get('/api/v1/runtime-records');
  await untilBlocked(databaseUrl);
  const refused = [
    await get('/api/v1/requests'),
    await get('/api/v1/strategies'),
    await ask('DELETE', '/api/v1/requests/018f0000-0000-7000-8000-000000000000'),
  ];
  await other.query('rollback');
  expect(refused.map(({ status }) => status)).toEqual([503, 503, 503]);
  expect((await first).status).toBe(200);
});
