import { Cluster, Command, type Redis as Standalone } from 'ioredis';
import type { Redis } from './redis.ts';

/**
 * The connection to the server that holds a key: of a cluster, to its primary; else the client itself. For questions that no
 * key stands in, such as INFO and TIME: a cluster would send them to any node.
 *
 * @throws what the cluster answers, or that it does not
 */
export async function nodeOf(redis: Redis, key: string): Promise<Standalone> {
  if (!(redis instanceof Cluster)) return redis;
  const known = findNode(redis, key);
  if (known !== null) return known;
  // Any command for the key makes the client find out who has it.
  await redis.exists(key);
  const found = findNode(redis, key);
  if (found === null) throw new Error('redis is not connected (no node has the key)');
  return found;
}

function findNode(cluster: Cluster, key: string): Standalone | null {
  const slot = new Command('exists', [key]).getSlot();
  const [primary] = cluster.slots[slot ?? 0] ?? [];
  const of = ({ options: { host, port } }: Standalone): boolean => `${host}:${port}` === primary;
  return cluster.nodes('master').find(of) ?? null;
}

/** The connections to all servers that take writes: the primaries of a cluster, else the client itself. */
export function primariesOf(redis: Redis): Standalone[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

/** Whether the server that has a key answers: rejects when not. A cluster would let any node answer a PING. */
export async function askServerOf(redis: Redis, key: string): Promise<void> {
  await (redis instanceof Cluster ? redis.exists(key) : redis.ping());
}

/** Whether it is the client of a cluster. */
export function isCluster(redis: Redis): redis is Cluster {
  return redis instanceof Cluster;
}
