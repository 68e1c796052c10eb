import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { uuidV7 } from '../../../producers/core/uuid-v7.ts';
import { anInput, ndjson } from '../../support/a-gateway.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startGatewayCommand } from '../../support/gateway-command.ts';
import { liveMemoryMib, tellLiveMemory } from '../../support/live-memory.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { openRaw, postHead } from '../../support/raw-http.ts';
import { recordsOf } from '../../support/records-of.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

const runs = (count: number): { id: string }[] =>
  Array.from({ length: count }, () => ({ ...anInput({ input: { text: 'x'.repeat(500) } }), id: uuidV7(Date.now()) }));

/** The status of a body; null: there was no answer. */
async function post(url: string, body: string, path = '/v1/executions') {
  try {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    await answer.arrayBuffer();
    return answer;
  } catch {
    return null;
  }
}

test('gateway: killed twice under load, it has what it answered with 202 in Redis, and a repetition stores nothing twice', async () => {
  const redis = await startFragileRedis();
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const port = await freePort();
  const environment = {
    REDIS_URL: redis.url,
    SLUICE_NAMESPACE: namespace,
    SLUICE_GATEWAY_PORT: String(port),
  };
  await startWorkerProcess({ databaseUrl, redisUrl: redis.url, namespace });
  let gateway = await startGatewayCommand(environment);
  const { url } = gateway;
  const confirmed = new Set<string>();
  let repeated = 0;
  let isOver = false;

  const send = async (): Promise<void> => {
    while (!isOver) {
      const records = runs(100);
      const body = ndjson(records);
      while ((await post(url, body))?.status !== 202) {
        repeated += 1;
        await sleep(20);
      }
      for (const { id } of records) confirmed.add(id);
    }
  };
  const senders = Promise.all(Array.from({ length: 4 }, send));
  for (const records of [1_000, 3_000]) {
    await until(() => confirmed.size > records);
    gateway.kill('SIGKILL');
    await gateway.ended;
    gateway = await startGatewayCommand(environment);
  }
  await until(() => confirmed.size > 5_000);
  isOver = true;
  await senders;
  expect(repeated).toBeGreaterThan(0);

  const client = await connect(databaseUrl);
  const stored = await until(async () => {
    const { rows } = await client.query<{ id: string }>('select id from strategy_execution_log');
    return rows.length >= confirmed.size && rows.map(({ id }) => id);
  });
  expect(new Set(stored)).toEqual(confirmed);
  expect(stored.length).toBe(confirmed.size);
  gateway.kill('SIGTERM');
  expect(await gateway.ended).toBe(0);
});

test('gateway: while Redis is away or silent it says so at once, and goes on by itself when Redis is back', async () => {
  const redis = await startFragileRedis();
  const namespace = createNamespace();
  const gateway = await startGatewayCommand({ REDIS_URL: redis.url, SLUICE_NAMESPACE: namespace });
  const [first, ...others] = Array.from({ length: 40 }, () => runs(10));
  expect((await post(gateway.url, ndjson(first ?? [])))?.status).toBe(202);
  const disturbances = [
    { begin: () => redis.kill(), end: () => redis.startAgain() },
    { begin: async () => redis.freeze(), end: async () => redis.thaw() },
  ];
  for (const { begin, end } of disturbances) {
    await begin();
    const body = ndjson(others.pop() ?? []);
    // The first one is the one that finds out.
    const found = await post(gateway.url, body);
    expect([found?.status, found?.headers.get('retry-after')]).toEqual([503, '2']);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(gateway.url, body)));
    expect(answers.map((answer) => answer?.status)).toEqual(Array(20).fill(503));
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect(await gateway.metric('sluice_gateway_redis_away')).toBe(1);
    // None of the bodies that were refused at once waits in the buffer.
    expect(await gateway.metric('sluice_producer_buffer_records')).toBeLessThanOrEqual(40);
    await end();
    await until(async () => (await post(gateway.url, body))?.status === 202);
    await until(async () => (await fetch(`${gateway.url}/readyz`)).status === 200);
  }
  gateway.kill('SIGTERM');
  expect(await gateway.ended).toBe(0);
});

test('gateway: asked to stop, it says that it is not ready, takes no new body, and finishes those that it has begun', async () => {
  const redis = await startFragileRedis();
  const namespace = createNamespace();
  const gateway = await startGatewayCommand({ REDIS_URL: redis.url, SLUICE_NAMESPACE: namespace });
  const [lines, more] = [ndjson(runs(3)), ndjson(runs(2))];
  const begun = await openRaw(gateway.url);
  begun.write(postHead('/v1/executions', `content-length: ${lines.length + more.length}`));
  begun.write(lines);
  // It has been idle once, so that it would be closed if it were idle now.
  const kept = await openRaw(gateway.url);
  await until(async () => (await gateway.metric('sluice_gateway_bodies')) === 1);

  gateway.kill('SIGTERM');
  await until(async () => (await fetch(`${gateway.url}/readyz`)).status === 503);
  expect((await post(gateway.url, ndjson(runs(1))))?.status).toBe(202);
  kept.write(postHead('/v1/executions', `content-length: ${more.length}`).slice(0, -2));
  await until(async () => (await post(gateway.url, more)) === null);
  kept.write('\r\n');
  expect(await kept.closed).toMatch(/^HTTP\/1.1 503 .*retry-after: 1\r\n.*shutting-down/s);
  begun.write(more);
  expect(await begun.seen('}')).toMatch(/^HTTP\/1.1 202 .*"accepted":5/s);
  begun.socket.end();
  expect(await gateway.ended).toBe(0);
  const jobs = await openQueue(namespace, redis.url).getJobs(['waiting']);
  expect(jobs.flatMap((job) => recordsOf(job)).length).toBeGreaterThanOrEqual(6);
});

test('gateway: hundreds of idle senders and dozens of slow ones cost little memory, and others do not notice', async () => {
  const redis = await startFragileRedis();
  const gateway = await startGatewayCommand({
    ...{ REDIS_URL: redis.url, SLUICE_NAMESPACE: createNamespace() },
    NODE_OPTIONS: tellLiveMemory,
  });
  const body = ndjson(runs(1_000));
  const load = async (): Promise<void> => {
    for (let sent = 0; sent < 30; sent += 1) expect((await post(gateway.url, body))?.status).toBe(202);
  };
  await load();
  const before = await liveMemoryMib(gateway);
  const idle = await Promise.all(Array.from({ length: 300 }, () => openRaw(gateway.url)));
  const slow = await Promise.all(Array.from({ length: 30 }, () => openRaw(gateway.url)));
  for (const one of slow) one.write(postHead('/v1/executions', 'content-length: 1000000'));
  // Single bytes of a line that does not end.
  const drip = setInterval(() => {
    for (const one of slow) one.write('x');
  }, 20);
  await until(async () => (await gateway.metric('sluice_gateway_bodies')) === 30);
  expect(await gateway.metric('sluice_gateway_connections')).toBeGreaterThanOrEqual(330);
  await load();
  clearInterval(drip);
  expect((await liveMemoryMib(gateway)) - before).toBeLessThan(30);
  for (const { socket } of [...idle, ...slow]) socket.destroy();
  await until(async () => (await gateway.metric('sluice_gateway_bodies')) === 0);
  expect(await gateway.metric('sluice_gateway_unread_bytes')).toBe(0);
});
