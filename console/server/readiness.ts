import { readQueue } from '../../queries/queues/queue-facts.ts';
import { queueNames } from '../../shared/contracts/queues.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { explainRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';

const answerWithinMs = 1_000;

/**
 * Asks both servers what the console asks of them, at most once at a time. A server that answers PING may refuse to show its
 * queues.
 *
 * @returns null when both answer within a second, else which does not, or why
 */
export function createReadiness(deps: {
  redis: Redis;
  database: Database;
  namespace: string;
}): () => Promise<string | null> {
  let asking: Promise<string | null> | null = null;
  const ask = async (): Promise<string | null> => {
    let refusal: unknown = null;
    const askRedis = async (): Promise<void> => {
      for (const queue of queueNames) await readQueue(deps.redis, { queue, namespace: deps.namespace });
    };
    const answered = await Promise.all([
      answers(() =>
        askRedis().catch((error: unknown) => {
          if (!isRefusal(error)) throw error;
          refusal = error;
        }),
      ),
      answers(() => deps.database.$queryRaw`select 1`),
    ]);
    const silent = ['Redis', 'PostgreSQL'].filter((_name, index) => !answered[index]);
    if (silent.length > 0) return `${silent.join(' and ')} did not answer`;
    return refusal === null ? null : `Redis refuses to show the queues: ${explainRedisError(refusal)}`;
  };
  return () => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
}

async function answers(question: () => PromiseLike<unknown>): Promise<boolean> {
  const answer = Promise.resolve()
    .then(question)
    .then(
      () => true,
      () => false,
    );
  return (await endsWithin(answer, answerWithinMs)) && (await answer);
}
