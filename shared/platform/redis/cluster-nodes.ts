import { Cluster, Command, type Redis as Standalone } from 'ioredis';
import type { Redis } from './redis.ts';

/**
 * The connection to the server that holds a key: of a cluster, to its primary; else the client itself. For questions that no
 * key stands in, such as INFO and TIME: a cluster would send them to any node.
 *
 * @param server that is asked if it is there, whichever has the key now
 * @throws what the cluster answers, or that it does not
 */
export async function nodeOf(redis: Redis, key: string, server: string = serverOf(redis, key)): Promise<Standalone> {
  if (!(redis instanceof Cluster)) return redis;
  const known = findNamed(redis, server);
  if (known !== null) return known;
  // Any command for the key makes the client find out who has it.
  await redis.exists(key);
  const found = findNamed(redis, serverOf(redis, key));
  if (found === null) throw new Error('redis is not connected (no node has the key)');
  return found;
}

function findNamed(cluster: Cluster, name: string): Standalone | null {
  return cluster.nodes('all').find(({ options: { host, port } }) => `${host}:${port}` === name) ?? null;
}

/**
 * The name of the server that has a key, as far as the client knows: of a cluster, host and port of the primary. Empty where
 * there is one server only, and while a cluster's client does not know.
 */
export function serverOf(redis: Redis, key: string): string {
  if (!(redis instanceof Cluster)) return '';
  const slot = new Command('exists', [key]).getSlot();
  return redis.slots[slot ?? 0]?.[0] ?? '';
}

/**
 * The way that a question about a key takes now. `drop` gives the connection up, with what it was asked, when the server does
 * not answer: the next question opens another one. Connections to the other servers of a cluster stay, unless the client does
 * not know whom it asks.
 */
export function wayTo(redis: Redis, key: string): { server: string; drop(): void } {
  const server = serverOf(redis, key);
  const node = redis instanceof Cluster ? findNamed(redis, server) : null;
  return { server, drop: () => (node === null ? redis.disconnect(true) : node.disconnect()) };
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
