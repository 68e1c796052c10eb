/** The queues of the fleet. */
export const queueNames = ['execution-log', 'completed-request'] as const;
export type QueueName = (typeof queueNames)[number];

/** The most shards that a queue may have. */
export const maxShards = 256;

/**
 * A queue may be spread over several BullMQ queues, its shards, so that a Redis Cluster can spread it over nodes. The first one has the
 * name of the queue, so that a queue of one shard is that one; the others have the number of the shard behind it.
 */
export type ShardName = QueueName | `${QueueName}-${number}`;

/** The name of a shard. @param index from 0 to `maxShards` - 1 */
export function shardName(queue: QueueName, index: number): ShardName {
  return index === 0 ? queue : `${queue}-${index}`;
}

/** The names of the first `count` shards of a queue. */
export function shardNames(queue: QueueName, count: number): ShardName[] {
  return Array.from({ length: count }, (_, index) => shardName(queue, index));
}

/** The number of a shard. */
export function shardIndex(shard: ShardName): number {
  return Number(/-(\d+)$/.exec(shard)?.[1] ?? 0);
}

/** The queue through which maintenance workers share their tasks. It carries no records. */
export const maintenanceQueue = 'maintenance';

/** Every job that carries records has this name; its data is a chunk (see chunk.ts). */
export const jobName = 'chunk';

/** A job that carries a producer's report to the ledger has this name (see ledger-report.ts). */
export const reportJobName = 'report';

/** The key namespace that keeps fleets apart on one Redis. */
export const defaultNamespace = 'sluice';

/**
 * BullMQ key prefix of a queue. The braces are a Redis Cluster hash tag: all keys of one queue share a slot, which
 * BullMQ's scripts need, while different queues and shards spread over the nodes.
 */
export function queuePrefix(queue: ShardName | typeof maintenanceQueue, namespace: string = defaultNamespace): string {
  return `{${namespace}:${queue}}`;
}
