import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRedisCluster } from '../../../dev/servers/redis-cluster.ts';
import { jobName, queuePrefix, type ShardName, shardNames } from '../../../shared/contracts/queues.ts';
import { countStored, untilStored } from '../../support/accounts.ts';
import { idOf, recordText } from '../../support/execution-fleet.ts';
import {
  connect,
  createDirectory,
  createNamespace,
  createTestDatabase,
  openQueue,
  until,
} from '../../support/fixtures.ts';
import { standFor } from '../../support/redis-target.ts';
import { calmLocks, startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

const shards = shardNames('execution-log', 8);
/** Few, so that a shard that keeps what it has would starve the others. */
const environment = { ...calmLocks, SLUICE_WORKER_CONCURRENCY: '8', SLUICE_SHUTDOWN_TIMEOUT_MS: '4000' };

/**
 * A cluster that goes on without those slots whose primary is away, as nobody takes its place: the primary of the queue's first
 * shard has no replica.
 */
async function aShardedCluster() {
  const cluster = await startRedisCluster({
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'cluster'),
    settings: ['cluster-require-full-coverage no'],
  });
  onTestFinished(cluster.stop);
  const namespace = createNamespace();
  const place = { databaseUrl: await createTestDatabase(), redisUrl: standFor(cluster.environment), namespace };
  const ownerOf = (shard: ShardName) => cluster.ownerOf(`${queuePrefix(shard, namespace)}:x`);
  const { primary: victim, replicas } = await ownerOf('execution-log');
  for (const replica of replicas) await replica.kill();
  const owners = new Map<ShardName, unknown>();
  for (const shard of shards) owners.set(shard, (await ownerOf(shard)).primary);
  let added = 0;
  return {
    cluster,
    place,
    victim,
    ofVictim: shards.filter((shard) => owners.get(shard) === victim),
    ofOthers: shards.filter((shard) => owners.get(shard) !== victim),
    /** Adds jobs of one record each, so many to each shard. @returns the numbers of the first record and of the last */
    async add(to: readonly ShardName[], each: number): Promise<{ first: number; last: number }> {
      const first = added + 1;
      for (const shard of to) {
        const jobs = Array.from({ length: each }, () => {
          added += 1;
          const records = [JSON.parse(recordText(added)) as object];
          return { name: jobName, data: { v: 1, producer: 'test', epoch: 1, seq: added, records } };
        });
        await openQueue(namespace, place.redisUrl, shard).addBulk(jobs);
      }
      return { first, last: added };
    },
  };
}

async function statusOf(url: string): Promise<number> {
  return (await fetch(url)).status;
}

for (const [how, goAway, comeBack] of [
  ['hangs', 'SIGSTOP', 'SIGCONT'],
  ['is killed', 'SIGKILL', null],
] as const) {
  test(`shards: when a primary ${how} and nobody takes its place, only its own shards wait, until it is back`, async () => {
    const { place, victim, ofVictim, ofOthers, add } = await aShardedCluster();
    const worker = await startWorkerProcess(place, environment);
    await add(shards, 1);
    await untilStored(place.databaseUrl, shards.length);

    // Its shards are in the middle of a backlog when it goes.
    await add(ofVictim, 400);
    await untilStored(place.databaseUrl, shards.length + 50);
    await until(async () => (await worker.metric('sluice_queue_oldest_job_seconds')) > 0);
    if (goAway === 'SIGSTOP') victim.signal(goAway);
    else await victim.kill();
    const others = await add(ofOthers, 100);
    const client = await connect(place.databaseUrl);
    await until(async () => {
      const range = [idOf(others.first), idOf(others.last)];
      const { rowCount } = await client.query('select from strategy_execution_log where id between $1 and $2', range);
      return rowCount === others.last - others.first + 1;
    });
    expect(await countStored(place.databaseUrl)).toBeLessThan(others.last);
    await until(async () => (await worker.metric('sluice_queue_shards', { state: 'silent' })) === ofVictim.length);
    expect(await statusOf(`${worker.url}/readyz`)).toBe(200);
    expect(await statusOf(`${worker.url}/healthz`)).toBe(200);
    expect(worker.log().find(({ msg }) => msg.startsWith('shards do not answer'))?.['shards']).toEqual(
      expect.arrayContaining(['execution-log']),
    );
    // Its jobs are still there, as far as anybody knows, and are told of.
    expect(await worker.metric('sluice_queue_oldest_job_seconds')).toBeGreaterThan(0);

    if (comeBack === 'SIGCONT') victim.signal(comeBack);
    else await victim.start();
    await untilStored(place.databaseUrl, others.last);
    expect(await countStored(place.databaseUrl)).toBe(others.last);
    await until(async () => (await worker.metric('sluice_queue_shards', { state: 'working' })) === shards.length);
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  }, 120_000);
}

test('shards: a worker that starts while the server of the first shard hangs takes the jobs of the others, and stops in time', async () => {
  const { place, victim, ofOthers, add } = await aShardedCluster();
  await add(['execution-log'], 10);
  const others = ofOthers.length * 50;
  await add(ofOthers, 50);
  victim.signal('SIGSTOP');
  const worker = await startWorkerProcess(place, environment);
  await untilStored(place.databaseUrl, others);
  expect(await statusOf(`${worker.url}/readyz`)).toBe(200);

  await stopsInTime(worker);
}, 120_000);

test('shards: a worker that is asked to stop while a server hangs that has jobs of it ends in its time', async () => {
  const { place, victim, ofVictim, add } = await aShardedCluster();
  const worker = await startWorkerProcess(place, environment);
  await add(ofVictim, 400);
  await untilStored(place.databaseUrl, 50);
  victim.signal('SIGSTOP');
  await stopsInTime(worker);
}, 120_000);

async function stopsInTime(worker: WorkerProcess): Promise<void> {
  const askedAt = performance.now();
  worker.kill('SIGTERM');
  await worker.ended;
  // Its time, and a moment for what is left over.
  expect(performance.now() - askedAt).toBeLessThan(4_000 + 6_000);
}

test('shards: connections of a worker process: one for commands to each primary, and one for each shard', async () => {
  const { cluster, place, add } = await aShardedCluster();
  const worker = await startWorkerProcess(place, environment);
  const connections = async (): Promise<number> => {
    const lists = await Promise.all(
      cluster.servers
        .filter(({ client }) => client.status === 'ready')
        .map(async ({ client }) => String(await client.client('LIST'))),
    );
    const lines = lists.join('\n').split('\n');
    return lines.filter((line) => line.includes('sluice:worker') || line.includes(`{${place.namespace}:`)).length;
  };
  await add(['execution-log'], 1);
  await untilStored(place.databaseUrl, 1);
  await expect.poll(connections, { timeout: 20_000 }).toBe(3 + 1);

  await add(shards.slice(0, 4), 1);
  await untilStored(place.databaseUrl, 5);
  await until(async () => (await worker.metric('sluice_queue_shards', { state: 'working' })) === 4);
  await expect.poll(connections, { timeout: 20_000 }).toBe(3 + 4);
});
