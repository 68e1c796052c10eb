import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { watchMemoryOf } from '../../../producers/core/memory-watch.ts';
import { createCompletedRequestSender, createExecutionObserver } from '../../../producers/index.ts';
import { shardOfRequest } from '../../../producers/requests/request-shard.ts';
import { queuePrefix, shardNames } from '../../../shared/contracts/queues.ts';
import { serverOf } from '../../../shared/platform/redis/cluster-nodes.ts';
import { findShards } from '../../../shared/platform/redis/find-shards.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { createNamespace } from '../../support/fixtures.ts';
import { redisSettings, targetOf } from '../../support/redis-target.ts';
import { aRequest } from '../../support/request.ts';
import { queuedIn } from '../../support/shards.ts';

const redisUrl = inject('redisUrl');

function startObserver(namespace: string, shards?: number) {
  const observer = createExecutionObserver({
    redis: redisSettings(redisUrl),
    namespace,
    registry: new Registry(),
    producer: { sampleRate: 1, chunk: { maxRecords: 10, maxBytes: 262_144, maxWaitMs: 20 }, ...(shards && { shards }) },
  });
  onTestFinished(async () => void (await observer.close({ timeoutMs: 0 })));
  return observer;
}

function startSender(namespace: string, shards: number) {
  const sender = createCompletedRequestSender({
    redis: redisSettings(redisUrl),
    namespace,
    registry: new Registry(),
    producer: { shards },
  });
  onTestFinished(async () => void (await sender.close({ timeoutMs: 0 })));
  return sender;
}

async function shardsOf(queue: 'execution-log' | 'completed-request', namespace: string): Promise<string[]> {
  const redis = createRedis(targetOf(redisUrl), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  return findShards(redis, { queue, namespace });
}

test('shards: executions are spread evenly, each record once', async () => {
  const namespace = createNamespace();
  const observer = startObserver(namespace, 4);
  const names = Array.from({ length: 4_000 }, (_, index) => `case-${String(index).padStart(4, '0')}`);
  for (const caseName of names) observer.record(anExecution({ caseName }));
  expect(await observer.drain()).toMatchObject({ flushed: 4_000, unflushed: 0 });
  const queued = await queuedIn({ queue: 'execution-log', namespace, redisUrl }, 4);
  // A send has five chunks of ten records.
  for (const records of queued) expect(Math.abs(records.length - 1_000)).toBeLessThanOrEqual(50);
  expect(
    queued
      .flat()
      .map(({ caseName }) => caseName)
      .sort(),
  ).toEqual(names);
});

test('shards: how many are left alone is a metric where there are several, as long as the producer is open', async () => {
  const registry = new Registry();
  const name = 'sluice_producer_shards_left_alone';
  const open = (shards: number) =>
    createExecutionObserver({ redis: redisSettings(redisUrl), namespace: 'unused', registry, producer: { shards } });
  const one = open(1);
  expect(registry.getSingleMetric(name)).toBeUndefined();
  const several = open(2);
  expect(await registry.getSingleMetricAsString(name)).toContain(`${name}{queue="execution-log"} 0`);
  await Promise.all([one.close(), several.close()]);
  expect(registry.getSingleMetric(name)).toBeUndefined();
});

test.each([0, 257, 1.5])('shards: %s of them are refused', (shards) => {
  const create = () =>
    createExecutionObserver({ redisUrl: 'redis://host', registry: new Registry(), producer: { shards } });
  expect(create).toThrow(`producer.shards is ${shards}; accepted: a whole number from 1 to 256`);
});

test('shards: those of one server share the look at its memory', async () => {
  const redis = createRedis(targetOf(redisUrl), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  const namespace = createNamespace();
  const keys = shardNames('execution-log', 12).map((shard) => queuePrefix(shard, namespace));
  const watches = new Map<string, unknown>();
  for (const key of keys) {
    const watch = watchMemoryOf(redis, key, 0.8);
    await watch.join(redis);
    const server = serverOf(redis, key);
    expect(watches.get(server) ?? watch).toBe(watch);
    watches.set(server, watch);
  }
  expect(new Set(watches.values()).size).toBe(watches.size);
});

test('shards: without the setting there is one, which has the name of the queue', async () => {
  const namespace = createNamespace();
  const observer = startObserver(namespace);
  for (let index = 0; index < 500; index += 1) observer.record(anExecution());
  await observer.drain();
  expect(await shardsOf('execution-log', namespace)).toEqual(['execution-log']);
  expect((await queuedIn({ queue: 'execution-log', namespace, redisUrl }, 1)).flat()).toHaveLength(500);
});

test('shards: the number may be changed at any time; nothing moves that is in a shard already', async () => {
  const namespace = createNamespace();
  for (const shards of [1, 3, 2]) {
    const observer = startObserver(namespace, shards);
    for (let index = 0; index < 300; index += 1) observer.record(anExecution());
    await observer.close();
  }
  expect(await shardsOf('execution-log', namespace)).toEqual(['execution-log', 'execution-log-1', 'execution-log-2']);
  expect((await queuedIn({ queue: 'execution-log', namespace, redisUrl }, 3)).flat()).toHaveLength(900);
});

test('shards: begin and end of a request are in one shard, in their order, whoever sends them', async () => {
  const namespace = createNamespace();
  const senders = [startSender(namespace, 4), startSender(namespace, 4)] as const;
  const ids = Array.from({ length: 400 }, () => crypto.randomUUID());
  for (const requestId of ids) await senders[0].begin({ requestId: requestId.toUpperCase(), createdBy: 'me' });
  await senders[0].flush();
  for (const requestId of ids) await senders[1].send(aRequest({ requestId }));
  await senders[1].flush();

  const queued = await queuedIn({ queue: 'completed-request', namespace, redisUrl }, 4);
  for (const [shard, records] of queued.entries()) {
    const theirs = ids.filter((id) => shardOfRequest(JSON.stringify({ requestId: id }), 4) === shard);
    expect(theirs.length).toBeGreaterThan(50);
    for (const id of theirs)
      expect(records.filter(({ requestId }) => requestId === id).map(({ phase }) => phase)).toEqual([
        'begun',
        'completed',
      ]);
    expect(records).toHaveLength(theirs.length * 2);
  }
});
