/** The queues of the fleet. */
export const queueNames = ['execution-log', 'completed-request'] as const;
export type QueueName = (typeof queueNames)[number];

/** The queue through which maintenance workers share their tasks. It carries no records. */
export const maintenanceQueue = 'maintenance';

/** Every job that carries records has this name; its data is a chunk (see chunk.ts). */
export const jobName = 'chunk';

/** The key namespace that keeps fleets apart on one Redis. */
export const defaultNamespace = 'sluice';

/**
 * BullMQ key prefix of a queue. The braces are a Redis Cluster hash tag: all keys of one queue share a slot, which
 * BullMQ's scripts need, while different queues spread over the nodes.
 */
export function queuePrefix(queue: QueueName | typeof maintenanceQueue, namespace: string = defaultNamespace): string {
  return `{${namespace}:${queue}}`;
}
