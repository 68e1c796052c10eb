import { clientNamesOf } from '../../../doctor/redis/redis-facts.ts';
import { type QueueName, queueNames } from '../../../shared/contracts/queues.ts';
import { queueKeys } from '../../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

/** The processes that take jobs of each queue, by the connections on which they wait for them; null where Redis does not tell. */
export async function countWorkers(redis: Redis, namespace: string): Promise<Record<QueueName, number | null>> {
  const names = await redis.client('LIST').then(
    (list) => clientNamesOf(String(list)),
    () => null,
  );
  const count = (queue: QueueName) => names && queueKeys(queue, namespace).countWorkers(names);
  return Object.fromEntries(queueNames.map((queue) => [queue, count(queue)])) as Record<QueueName, number | null>;
}
