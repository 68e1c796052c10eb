import { clientNamesOf } from '../../../doctor/redis/redis-facts.ts';
import { queueKeys } from '../../../queries/queues/queue-facts.ts';
import { type QueueName, queueNames } from '../../../shared/contracts/queues.ts';
import { primariesOf } from '../../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

/** The processes that take jobs of each queue, by the connections on which they wait for them; null where Redis does not tell. */
export async function countWorkers(redis: Redis, namespace: string): Promise<Record<QueueName, number | null>> {
  // Of a cluster, the workers of a queue are connected to the node that has it.
  const lists = await Promise.all(primariesOf(redis).map((server) => server.client('LIST'))).catch(() => null);
  const names = lists?.flatMap((list) => clientNamesOf(String(list))) ?? null;
  const count = (queue: QueueName) => names && queueKeys(queue, namespace).countWorkers(names);
  return Object.fromEntries(queueNames.map((queue) => [queue, count(queue)])) as Record<QueueName, number | null>;
}
