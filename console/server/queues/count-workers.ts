import { clientNamesOf } from '../../../doctor/redis/redis-facts.ts';
import { type QueueName, queueNames, queuePrefix } from '../../../shared/contracts/queues.ts';
import { nodeOf } from '../../../shared/platform/redis/cluster-nodes.ts';
import { queueKeys } from '../../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

/** How many processes take jobs of each queue, counted by their blocking connections; null if Redis does not tell. */
export async function countWorkers(redis: Redis, namespace: string): Promise<Record<QueueName, number | null>> {
  const lists = new Map<object, Promise<string[]>>();
  const count = async (queue: QueueName): Promise<number> => {
    // They wait at the server that has the queue; at other nodes of a cluster they may have connections, too.
    const server = await nodeOf(redis, queuePrefix(queue, namespace));
    const list = lists.get(server) ?? server.client('LIST').then((text) => clientNamesOf(String(text)));
    lists.set(server, list);
    return queueKeys(queue, namespace).countWorkers(await list);
  };
  const counts = queueNames.map(async (queue) => [queue, await count(queue).catch(() => null)]);
  return Object.fromEntries(await Promise.all(counts)) as Record<QueueName, number | null>;
}
