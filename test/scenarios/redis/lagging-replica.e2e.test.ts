import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { ServerProcess } from '../../../dev/servers/redis-cluster.ts';
import { allOnce, untilStoredMore } from '../../support/accounts.ts';
import { watchFault } from '../../support/fault-under-load.ts';
import { createDirectory, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { metricValue } from '../../support/metric-value.ts';
import { startSentinels } from '../../support/redis-sentinels.ts';
import { standFor } from '../../support/redis-target.ts';
import { startLoad } from '../../support/steady-load.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

const perSecond = 500;

/** A fleet under load behind Sentinels, whose replicas the test can cut off from the primary. */
async function aFleetUnderLoad() {
  const set = await startSentinels({ binary: inject('redisBinary'), dir: join(await createDirectory(), 'sentinels') });
  onTestFinished(set.stop);
  const namespace = createNamespace();
  const place = { databaseUrl: await createTestDatabase(), redisUrl: standFor(set.environment), namespace };
  const workers = await Promise.all([startWorkerProcess(place), startWorkerProcess(place)]);
  const load = startLoad(place, { perSecond });
  await untilStoredMore(place.databaseUrl, perSecond);
  const primary = await set.primary();
  const replicas = set.servers.filter((server) => server !== primary);
  const each = (ask: (server: ServerProcess) => Promise<unknown>): Promise<unknown> =>
    Promise.all(set.servers.map(ask));
  return {
    set,
    place,
    workers,
    load,
    primary,
    /** From now on no replica gets anything, nor can it connect again. */
    async cutOff(): Promise<void> {
      for (const { client } of replicas) await client.config('SET', 'masterauth', 'wrong');
      await primary.client.call('CLIENT', 'KILL', 'TYPE', 'replica');
      await until(async () => (await primary.client.info('replication')).includes('connected_slaves:0'));
    },
    async reconnect(): Promise<void> {
      const { REDIS_PASSWORD: password = '' } = set.environment;
      for (const { client } of replicas) await client.config('SET', 'masterauth', password);
    },
    requireReplica: () => each(({ client }) => client.config('SET', 'min-replicas-to-write', '1')),
  };
}

test('lag: a primary that dies takes with it what it acknowledged while its replicas lagged, and nothing else', async () => {
  const { set, place, load, primary, cutOff, reconnect } = await aFleetUnderLoad();
  const firstInLag = load.names.length;
  await cutOff();
  // Jobs wait in Redis, as when PostgreSQL is away. The replicas do not get to know of the pause either.
  const queue = openQueue(place.namespace, place.redisUrl);
  await queue.pause();
  const { sent } = load.observer.stats();
  await until(() => load.observer.stats().sent > sent + 2 * perSecond);
  const fault = watchFault({ place, load }, { perSecond, laggingSince: firstInLag });
  await primary.kill();
  await reconnect();
  fault.happened();
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('Sentinel, replicas lag and the primary is killed');
  expect(await set.primary()).not.toBe(primary);
  fault.expectLittleLost(accounts);
  // It is known how much: producers count what they sent, and the table has the rest.
  expect(accounts.lost.length).toBeGreaterThan(perSecond);
  expect(load.observer.stats().sent - accounts.stored).toBe(accounts.lost.length);
}, 120_000);

test('lag: with min-replicas-to-write the primary takes nothing meanwhile, everybody waits for a replica, and nothing is lost', async () => {
  const { set, place, workers, load, primary, cutOff, reconnect, requireReplica } = await aFleetUnderLoad();
  await requireReplica();
  await cutOff();
  const { sent } = load.observer.stats();
  await until(() => load.names.length > sent + 2 * perSecond);
  expect(load.observer.stats().sent - sent).toBeLessThan(perSecond);
  expect(await metricValue(load.registry, 'sluice_producer_send_failures_total')).toBeGreaterThan(0);
  for (const { url } of workers)
    await until(async () => (await (await fetch(`${url}/readyz`)).text()).includes('NOREPLICAS'));

  const fault = watchFault({ place, load }, { perSecond });
  await reconnect();
  fault.happened();
  await untilStoredMore(place.databaseUrl, 3 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('Sentinel, min-replicas-to-write, replicas away and back');
  expect(await set.primary()).toBe(primary);
  expect(accounts).toEqual(allOnce(load.names));
}, 120_000);

test('lag: with min-replicas-to-write a primary that dies meanwhile takes nothing with it but the moment before', async () => {
  const { set, place, load, primary, cutOff, reconnect, requireReplica } = await aFleetUnderLoad();
  await requireReplica();
  const fault = watchFault({ place, load }, { perSecond });
  await cutOff();
  const { sent } = load.observer.stats();
  await until(() => load.names.length > sent + 2 * perSecond);
  await primary.kill();
  await reconnect();
  fault.happened();
  await untilStoredMore(place.databaseUrl, 3 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('Sentinel, min-replicas-to-write, replicas away and the primary is killed');
  expect(await set.primary()).not.toBe(primary);
  fault.expectLittleLost(accounts);
}, 120_000);
