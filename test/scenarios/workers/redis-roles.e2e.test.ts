import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRedis } from '../../../dev/servers/redis.ts';
import { allOnce, settledAccounts, untilStoredMore } from '../../support/accounts.ts';
import { createDirectory, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { portOf, startProxyTo } from '../../support/proxies.ts';
import { startRedisPair } from '../../support/redis-pair.ts';
import { startLoad } from '../../support/steady-load.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

test('fleet: while its Redis is a read-only replica nothing is lost, and it goes on by itself afterwards', async () => {
  const redis = await startRedisPair();
  const place = { databaseUrl: await createTestDatabase(), redisUrl: redis.first.url, namespace: createNamespace() };
  await startWorkerProcess(place);
  const load = startLoad(place, { perSecond: 1_000 });
  await untilStoredMore(place.databaseUrl, 500);

  await redis.swapRoles();
  const recorded = load.names.length;
  await until(() => load.names.length > recorded + 1_000);
  await redis.swapRoles();
  await untilStoredMore(place.databaseUrl, 1_000);
  await load.stop();

  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});

test('fleet: when the address of Redis leads to another server and the old one turns read-only, it moves on by itself', async () => {
  const redis = await startRedisPair();
  const { proxy, url } = await startProxyTo(redis.first.url);
  const place = { databaseUrl: await createTestDatabase(), redisUrl: url, namespace: createNamespace() };
  await startWorkerProcess(place);
  const load = startLoad(place, { perSecond: 1_000 });
  await untilStoredMore(place.databaseUrl, 500);

  // Connections that are open stay with the old server, which answers them, as a replica.
  proxy.forwardTo(portOf(redis.second.url));
  await redis.swapRoles();
  await untilStoredMore(place.databaseUrl, 1_000);
  await load.stop();

  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});

test('fleet: a Redis that takes its time to load its data is waited for', async () => {
  const dir = await createDirectory();
  const slow = join(dir, 'slow-to-load');
  // Microseconds a key: with the keys below, more than a second.
  await writeFile(slow, `#!/bin/sh\nexec '${inject('redisBinary')}' "$@" --key-load-delay 100\n`);
  await chmod(slow, 0o755);
  let server = await startRedis({ binary: slow, dir: join(dir, 'redis') });
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url, { retryStrategy: () => 20, enableReadyCheck: false });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  const filler = redis.pipeline();
  for (let key = 0; key < 10_000; key += 1) filler.set(`filler:${key}`, 'x');
  await filler.exec();

  const place = { databaseUrl: await createTestDatabase(), redisUrl: server.url, namespace: createNamespace() };
  await startWorkerProcess(place);
  const load = startLoad(place, { perSecond: 1_000 });
  await untilStoredMore(place.databaseUrl, 500);
  await server.stop();
  const starting = startRedis({ binary: slow, dir: join(dir, 'redis'), port: server.port });
  const refused = await until(() =>
    redis.get('filler:0').then(
      () => false,
      (error: Error) => error.message.startsWith('LOADING'),
    ),
  );
  server = await starting;
  await untilStoredMore(place.databaseUrl, 1_000);
  await load.stop();

  expect(refused).toBe(true);
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});
