import { clientNamesOf } from '../../../doctor/redis/redis-facts.ts';
import { type QueueName, queueNames } from '../../../shared/contracts/queues.ts';
import { queueKeys } from '../../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

/** How many processes take jobs of each queue, counted by their blocking connections; null if Redis does not tell. */
export async function countWorkers(redis: Redis, namespace: string): Promise<Record<QueueName, number | null>> {
  const names = await redis.client('LIST').then(
    (list) => clientNamesOf(String(list)),
    () => null,
  );
  const count = (queue: QueueName) => names && queueKeys(queue, namespace).countWorkers(names);
  return Object.fromEntries(queueNames.map((queue) => [queue, count(queue)])) as Record<QueueName, number | null>;
}
