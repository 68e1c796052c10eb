import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type ServerProcess, startRedisCluster } from '../../../dev/servers/redis-cluster.ts';
import { createCompletedRequestSender } from '../../../producers/index.ts';
import { shardOfRequest } from '../../../producers/requests/request-shard.ts';
import { type QueueName, queuePrefix, shardNames } from '../../../shared/contracts/queues.ts';
import { parseMemoryInfo } from '../../../shared/platform/redis/redis-memory.ts';
import { failure } from '../../support/execution.ts';
import { createDirectory, createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { metricValue } from '../../support/metric-value.ts';
import { redisSettings, standFor } from '../../support/redis-target.ts';
import { aRequest } from '../../support/request.ts';
import { queuedIn } from '../../support/shards.ts';
import { startLoad } from '../../support/steady-load.ts';

const shards = 6;
const perSecond = 1_000;

/** A cluster in which no replica takes over, and the other servers go on without one that is away. */
async function aClusterOfIslands(queue: QueueName) {
  const cluster = await startRedisCluster({
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'cluster'),
    // What a server has acknowledged is there after a SIGKILL, too.
    settings: ['cluster-require-full-coverage no', 'cluster-replica-no-failover yes', 'appendfsync always'],
  });
  onTestFinished(cluster.stop);
  const ownersIn = (namespace: string): Promise<ServerProcess[]> =>
    Promise.all(
      shardNames(queue, shards).map(
        async (shard) => (await cluster.ownerOf(`${queuePrefix(shard, namespace)}:x`)).primary,
      ),
    );
  // Of some namespaces, all shards are on one server.
  let namespace: string;
  let owners: ServerProcess[];
  do {
    namespace = createNamespace();
    owners = await ownersIn(namespace);
  } while (new Set(owners).size === 1);
  const [, victim] = owners;
  if (victim === undefined) throw new Error('nobody has the second shard');
  const isOnVictim = owners.map((owner) => owner === victim);
  return {
    cluster,
    owners,
    victim,
    isOnVictim,
    place: { queue, namespace, redisUrl: standFor(cluster.environment) },
  };
}

/** What may happen to a server, and how it ends. */
const faults = {
  hangs: {
    begin: async (server: ServerProcess) => server.signal('SIGSTOP'),
    end: async (server: ServerProcess) => server.signal('SIGCONT'),
  },
  'is killed': {
    begin: (server: ServerProcess) => server.kill(),
    end: (server: ServerProcess) => server.start(),
  },
  'is full': {
    begin: (server: ServerProcess) => server.client.config('SET', 'maxmemory', '1'),
    end: (server: ServerProcess) => server.client.config('SET', 'maxmemory', '0'),
  },
};

test.each(['hangs', 'is killed', 'is full'] as const)(
  'shards: a server that %s costs executions nothing, and the others take its share',
  async (event) => {
    const { victim, isOnVictim, place } = await aClusterOfIslands('execution-log');
    // A buffer of a few seconds: load.stop finds out whether anything was dropped.
    const load = startLoad(place, {
      perSecond,
      producer: { shards, buffer: { maxRecords: 5_000, maxBytes: 100_000_000 } },
    });
    const leftAlone = () => metricValue(load.registry, 'sluice_producer_shards_left_alone', { queue: 'execution-log' });
    await until(() => load.observer.stats().sent > 2 * perSecond);
    await faults[event].begin(victim);
    const sentBefore = load.observer.stats().sent;
    await until(() => load.observer.stats().sent > sentBefore + 15 * perSecond);
    const theirs = isOnVictim.filter((isTheirs) => isTheirs).length;
    await until(async () => (await leftAlone()) === theirs);
    await faults[event].end(victim);
    await until(async () => (await leftAlone()) === 0);
    await load.stop();
    await until(async () => String(await victim.client.cluster('INFO')).includes('cluster_state:ok'));

    const queued = await queuedIn(place, shards);
    const names = new Set(queued.flat().map(({ caseName }) => caseName));
    expect([...names].sort()).toEqual(load.names);
    const sizes = queued.map((records) => records.length);
    const takesMore = Math.min(...sizes.filter((_size, index) => !isOnVictim[index]));
    expect(Math.max(...sizes.filter((_size, index) => isOnVictim[index]))).toBeLessThan(takesMore);
  },
  120_000,
);

test.each(['hangs', 'is killed'] as const)(
  'shards: requests of a server that %s wait for it and keep their order, while all others are sent',
  async (event) => {
    const { victim, isOnVictim, place } = await aClusterOfIslands('completed-request');
    const sender = createCompletedRequestSender({
      redis: redisSettings(place.redisUrl),
      namespace: place.namespace,
      registry: new Registry(),
      logger: { warn: () => undefined },
      producer: { shards },
    });
    onTestFinished(async () => void (await sender.close({ timeoutMs: 0 })));
    const ids: string[] = [];
    /** The first phase of a new request and the second of the one before, which is ended in time. */
    const goOn = async (count: number): Promise<void> => {
      for (let left = count; left > 0; left -= 1) {
        const before = ids.at(-1);
        ids.push(crypto.randomUUID());
        await sender.begin({ requestId: ids.at(-1) as string, createdBy: 'me' });
        if (before !== undefined) await sender.send(aRequest({ requestId: before }));
      }
    };
    const isTheirs = (id: string): boolean =>
      isOnVictim[shardOfRequest(JSON.stringify({ requestId: id }), shards)] === true;
    await goOn(300);
    await sender.flush();

    await faults[event].begin(victim);
    const first = ids.length - 1;
    await goOn(1_200);
    // The first one had begun before, and the last one is not ended yet.
    const phases = [...ids.slice(first), ...ids.slice(first + 1, -1)];
    await until(() => sender.depth().records === phases.filter(isTheirs).length);
    expect(sender.stats()).toMatchObject({ dropped: 0, rejected: 0, waiting: 0 });
    await faults[event].end(victim);
    expect(await sender.flush()).toMatchObject({ unflushed: 0 });
    await until(async () => String(await victim.client.cluster('INFO')).includes('cluster_state:ok'));

    const queued = (await queuedIn(place, shards)).flat();
    const phasesOf = new Map<unknown, unknown[]>();
    for (const { requestId, phase } of queued) phasesOf.set(requestId, [...(phasesOf.get(requestId) ?? []), phase]);
    const last = ids.pop();
    expect(phasesOf.get(last)).toEqual(['begun']);
    for (const id of ids) expect([...new Set(phasesOf.get(id))]).toEqual(['begun', 'completed']);
  },
  120_000,
);

test('shards: only when no server takes anything, executions go to the disk', async () => {
  const { cluster, victim, place } = await aClusterOfIslands('execution-log');
  const load = startLoad(place, {
    perSecond,
    producer: {
      shards,
      buffer: { maxRecords: 10_000, maxBytes: 100_000_000 },
      spill: { dir: await createDirectory(), maxBytes: 1_073_741_824, fsyncMs: 500 },
    },
  });
  const { observer } = load;
  const sendsMore = (records: number): Promise<unknown> => {
    const before = observer.stats().sent;
    return until(() => observer.stats().sent > before + records);
  };
  await sendsMore(perSecond);
  victim.signal('SIGSTOP');
  await sendsMore(5 * perSecond);
  expect(observer.stats().spilled).toBe(0);
  const others = cluster.servers.filter((server) => server !== victim);
  for (const server of others) await server.kill();
  await until(() => observer.stats().spilled > 2 * perSecond);
  for (const server of others) await server.start();
  await until(() => observer.stats().spilled === 0);
  victim.signal('SIGCONT');
  await load.stop();
  expect(observer.stats()).toMatchObject({ spilled: 0, dropped: 0 });
}, 120_000);

/** @param keys in this server's slots @param share of the bound that is in use from now on; null: there is no bound */
async function useMemory({ client }: ServerProcess, keys: string, share: number | null): Promise<void> {
  // So much that connections and jobs make no difference.
  for (let key = 0; key < 50; key += 1) await client.set(`${keys}:ballast:${key}`, 'x'.repeat(1_000_000));
  const used = parseMemoryInfo(await client.info('memory'))?.usedBytes ?? 0;
  await client.config('SET', 'maxmemory', share === null ? '0' : String(Math.round(used / share)));
}

test('shards: ok runs go past a server that is nearly full, and wait while all are', async () => {
  const { owners, victim, isOnVictim, place } = await aClusterOfIslands('execution-log');
  const names = shardNames('execution-log', shards);
  const load = startLoad(place, { perSecond, producer: { shards } });
  const { observer } = load;
  const sendsMore = (records: number): Promise<unknown> => {
    const before = observer.stats().sent;
    return until(() => observer.stats().sent > before + records);
  };
  const chunksOfVictim = async (): Promise<number> => {
    const theirs = names.filter((_name, index) => isOnVictim[index]);
    const counts = theirs.map((name) => openQueue(place.namespace, place.redisUrl, name).getWaitingCount());
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };
  const use = async (server: ServerProcess, share: number | null): Promise<void> =>
    useMemory(server, queuePrefix(names[owners.indexOf(server)] ?? 'execution-log', place.namespace), share);
  await sendsMore(perSecond);

  await use(victim, 0.75);
  await until(async () => {
    const before = await chunksOfVictim();
    await sendsMore(3 * perSecond);
    return (await chunksOfVictim()) === before;
  });
  expect(observer.depth().records).toBeLessThan(2 * perSecond);

  for (const server of new Set(owners)) await use(server, 0.75);
  await until(() => observer.depth().records > 3 * perSecond);
  const { sent } = observer.stats();
  for (let count = 0; count < 100; count += 1) observer.record(failure());
  await until(() => observer.stats().sent >= sent + 100);
  expect(observer.stats().sent).toBe(sent + 100);

  for (const server of new Set(owners)) await use(server, null);
  await until(() => observer.depth().records < perSecond);
  const queued = (await queuedIn(place, shards)).flat();
  expect(new Set(queued.map(({ id }) => id)).size).toBe(queued.length);
  expect(observer.stats()).toMatchObject({ dropped: 0 });
}, 120_000);
