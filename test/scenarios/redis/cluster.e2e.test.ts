import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRedisCluster } from '../../../dev/servers/redis-cluster.ts';
import { createExecutionObserver, type ObserverStats } from '../../../producers/index.ts';
import { queuePrefix } from '../../../shared/contracts/queues.ts';
import { allOnce, countStored, settledAccounts, untilStoredMore } from '../../support/accounts.ts';
import { anExecution } from '../../support/execution.ts';
import { watchFault } from '../../support/fault-under-load.ts';
import { createDirectory, createTestDatabase, until } from '../../support/fixtures.ts';
import { redisSettings, standFor } from '../../support/redis-target.ts';
import { startLoad } from '../../support/steady-load.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

const perSecond = 500;

function inMemory({ kept, sent, spilled, refused }: ObserverStats): number {
  return kept - sent - spilled - refused;
}

/** A fleet of two workers on a cluster of its own, under load, with rows coming in. */
async function aFleetUnderLoad() {
  const cluster = await startRedisCluster({
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'cluster'),
  });
  onTestFinished(cluster.stop);
  const namespace = `t-${Math.random().toString(36).slice(2)}`;
  const place = { databaseUrl: await createTestDatabase(), redisUrl: standFor(cluster.environment), namespace };
  await Promise.all([startWorkerProcess(place), startWorkerProcess(place)]);
  const load = startLoad(place, { perSecond });
  await untilStoredMore(place.databaseUrl, perSecond);
  const owner = await cluster.ownerOf(`${queuePrefix('execution-log', namespace)}:x`);
  return { cluster, place, load, ...owner };
}

test('cluster: when the primary of the queue is killed, a replica takes over, and only what had not reached it is lost', async () => {
  const { place, load, primary } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  await primary.kill();
  fault.happened();
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  fault.isOver();
  // It comes back, as a replica, with what it had.
  await primary.start();
  await until(async () => String(await primary.client.call('ROLE')).startsWith('slave'));
  await untilStoredMore(place.databaseUrl, perSecond);
  const accounts = await fault.settle('cluster, primary killed');
  fault.expectLittleLost(accounts);
});

test('cluster: a primary that hangs is given up by all, and the fleet goes on with its replica', async () => {
  const { place, load, primary, replicas } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  primary.signal('SIGSTOP');
  fault.happened();
  await until(async () => String(await replicas[0]?.client.call('ROLE')).startsWith('master'));
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  fault.isOver();
  primary.signal('SIGCONT');
  const accounts = await fault.settle('cluster, primary hangs');
  fault.expectLittleLost(accounts);
  // The silence of a server is borne for half a minute.
}, 120_000);

test('cluster: a failover that is forced in good order loses nothing', async () => {
  const { place, load, replicas } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  fault.happened();
  await replicas[0]?.client.cluster('FAILOVER');
  await until(async () => String(await replicas[0]?.client.call('ROLE')).startsWith('master'));
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('cluster, failover forced');
  expect(accounts).toEqual(allOnce(load.names));
});

test('cluster: while the slot of the queue is moved by hand it waits, and afterwards nothing is lost and nothing is twice', async () => {
  const { cluster, place, load, primary, slot } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  const others = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => cluster.ownerOf(key)));
  const target = others.map((other) => other.primary).find((server) => server !== primary);
  if (target === undefined) throw new Error('there is no other primary');
  const [from, to] = [String(await primary.client.cluster('MYID')), String(await target.client.cluster('MYID'))];
  await target.client.cluster('SETSLOT', slot, 'IMPORTING', from);
  await primary.client.cluster('SETSLOT', slot, 'MIGRATING', to);
  // As redis-cli --cluster reshard does it, with a time in the middle when keys are on both sides.
  const recorded = load.names.length;
  for (let round = 0; ; round += 1) {
    const keys = (await primary.client.cluster('GETKEYSINSLOT', slot, 10)) as string[];
    if (keys.length === 0) break;
    await primary.client.call(
      'MIGRATE',
      '127.0.0.1',
      target.port,
      '',
      0,
      5_000,
      'AUTH',
      cluster.password,
      'KEYS',
      ...keys,
    );
    if (round === 0) await until(() => load.names.length > recorded + perSecond);
  }
  fault.happened();
  for (const server of [target, primary]) await server.client.cluster('SETSLOT', slot, 'NODE', to);
  await untilStoredMore(place.databaseUrl, 3 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('cluster, slot moved by hand');
  expect(accounts).toEqual(allOnce(load.names));
  // No part of a job is left behind, but for those that stay to be looked at.
  const key = `${queuePrefix('execution-log', place.namespace)}:execution-log:`;
  const kept = (await target.client.zrange(`${key}completed`, '0', '-1')).map((id) => key + id);
  const left = await target.client.keys(`${key}*.*.*`);
  expect(left.filter((one) => !kept.includes(one))).toEqual([]);
});

test('cluster: when all of its servers are away for a while, the fleet goes on by itself once they are back', async () => {
  const { cluster, place, load } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  await Promise.all(cluster.servers.map((server) => server.kill()));
  const recorded = load.names.length;
  // Longer than the client needs to find out that there is no node at all.
  await until(() => load.names.length > recorded + 4 * perSecond);
  await Promise.all(cluster.servers.map((server) => server.start()));
  fault.happened();
  await untilStoredMore(place.databaseUrl, 3 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('cluster, all servers killed');
  // Lost may be what was not on disk yet, and not in PostgreSQL either.
  fault.expectLittleLost(accounts);
});

test('cluster: while the queue has no server, a producer spills, its memory stays bounded, and all is sent afterwards', async () => {
  const { place, load, primary, replicas } = await aFleetUnderLoad();
  await load.stop();
  await settledAccounts(place, load.names);
  const registry = new Registry();
  const observer = createExecutionObserver({
    redis: redisSettings(place.redisUrl),
    namespace: place.namespace,
    producer: {
      sampleRate: 1,
      buffer: { maxRecords: 2_000, maxBytes: 32 * 1_048_576 },
      spill: { dir: await createDirectory(), maxBytes: 1_073_741_824, fsyncMs: 500 },
    },
    registry,
    logger: { warn: () => undefined },
  });
  onTestFinished(async () => void (await observer.close({ timeoutMs: 0 })));
  for (const server of [...replicas, primary]) await server.kill();
  const names: string[] = [];
  // Four times what the buffer holds.
  for (let index = 0; index < 8_000; index += 1) {
    const caseName = `spilled-${index}`;
    names.push(caseName);
    observer.record(anExecution({ caseName }));
    if (index % 100 === 99) await until(() => inMemory(observer.stats()) < 1_500);
  }
  expect(observer.stats()).toMatchObject({ recorded: 8_000, dropped: 0 });
  for (const server of [primary, ...replicas]) await server.start();
  await until(async () => (await countStored(place.databaseUrl)) >= load.names.length + names.length);
  expect(await settledAccounts(place, [...load.names, ...names])).toMatchObject({
    lost: [],
    duplicated: [],
    failedJobs: 0,
  });
});
