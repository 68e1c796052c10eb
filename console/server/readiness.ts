import type { Database } from '../../shared/database.ts';
import { endsWithin } from '../../shared/lifecycle.ts';
import type { Redis } from '../../shared/redis.ts';

const answerWithinMs = 1_000;

/** Asks both servers, at most once at a time. @returns null when both answer within a second, else which does not */
export function createReadiness(deps: { redis: Redis; database: Database }): () => Promise<string | null> {
  let asking: Promise<string | null> | null = null;
  const ask = async (): Promise<string | null> => {
    const answered = await Promise.all([
      answers(() => deps.redis.ping()),
      answers(() => deps.database.$queryRaw`select 1`),
    ]);
    const silent = ['Redis', 'PostgreSQL'].filter((_name, index) => !answered[index]);
    return silent.length === 0 ? null : `${silent.join(' and ')} did not answer`;
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
