import type { Queue } from 'bullmq';
import { inject, onTestFinished } from 'vitest';
import { type RedisCluster, type ServerProcess, startRedisCluster } from '../../dev/servers/redis-cluster.ts';
import { jobName, type QueueName, queuePrefix, shardName } from '../../shared/contracts/queues.ts';
import { createDirectory, openQueue } from './fixtures.ts';
import { standFor } from './redis-target.ts';

/** Puts so many jobs into each shard of a queue, as producers do that have been given so many shards. @returns the shards */
export async function fillShards(
  namespace: string,
  jobs: readonly number[],
  { queue = 'execution-log', redisUrl = inject('redisUrl') }: { queue?: QueueName; redisUrl?: string } = {},
): Promise<Queue[]> {
  const shards = jobs.map((_, index) => openQueue(namespace, redisUrl, shardName(queue, index)));
  for (const [index, shard] of shards.entries())
    await shard.addBulk(Array.from({ length: jobs[index] ?? 0 }, () => ({ name: jobName, data: {} })));
  return shards;
}

/** A cluster of its own, that goes on without the slots of a node that is away. */
export async function startPatientCluster(): Promise<RedisCluster & { redisUrl: string }> {
  const cluster = await startRedisCluster({ binary: inject('redisBinary'), dir: await createDirectory() });
  onTestFinished(cluster.stop);
  for (const { client } of cluster.servers) await client.config('SET', 'cluster-require-full-coverage', 'no');
  return { ...cluster, redisUrl: standFor(cluster.environment) };
}

/** Stops the primary of a shard where it is, and its replicas, so that nobody takes its place. @returns what they go on with */
export async function stopServersOf(cluster: RedisCluster, namespace: string, shard: Queue): Promise<() => void> {
  const name = shard.name as QueueName;
  const { primary, replicas } = await cluster.ownerOf(`${queuePrefix(name, namespace)}:x`);
  const servers: ServerProcess[] = [...replicas, primary];
  for (const server of servers) server.signal('SIGSTOP');
  return () => {
    for (const server of servers) server.signal('SIGCONT');
  };
}

/** Ends the primary of a shard, and its replicas. */
export async function killServersOf(cluster: RedisCluster, namespace: string, shard: Queue): Promise<void> {
  const { primary, replicas } = await cluster.ownerOf(`${queuePrefix(shard.name as QueueName, namespace)}:x`);
  for (const server of [...replicas, primary]) await server.kill();
}

/** Those of the shards that are on the same server as one of them, and those that are not. */
export async function partByServer(cluster: RedisCluster, namespace: string, shards: readonly Queue[], of: Queue) {
  const ownerOf = async ({ name }: Queue) =>
    (await cluster.ownerOf(`${queuePrefix(name as QueueName, namespace)}:x`)).primary;
  const victim = await ownerOf(of);
  const owners = await Promise.all(shards.map(ownerOf));
  return {
    lost: shards.filter((_, index) => owners[index] === victim).map(({ name }) => name),
    left: shards.filter((_, index) => owners[index] !== victim).map(({ name }) => name),
  };
}
