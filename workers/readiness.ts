import type { Database } from '../shared/database.ts';
import { endsWithin } from '../shared/lifecycle.ts';
import type { Redis } from '../shared/redis.ts';

const answerWithinMs = 1_000;

/** Asks Redis and PostgreSQL at most once at a time: null when both answer within a second, else which does not. */
export function createReadiness(deps: {
  redis: Redis;
  database: Database;
  isStopping: () => boolean;
  isHalted: () => boolean;
}) {
  let asking: Promise<string | null> | null = null;

  const ask = async (): Promise<string | null> => {
    const answers = await Promise.all([
      answered(() => deps.redis.ping()),
      answered(() => deps.database.$queryRaw`select 1`),
    ]);
    const silent = ['Redis', 'PostgreSQL'].filter((_name, index) => !answers[index]);
    return silent.length === 0 ? null : `${silent.join(' and ')} did not answer`;
  };

  return async (): Promise<string | null> => {
    if (deps.isStopping()) return 'stopping';
    if (deps.isHalted()) return 'halted: too many records are dead';
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
}

async function answered(question: () => PromiseLike<unknown>): Promise<boolean> {
  const answer = Promise.resolve()
    .then(question)
    .then(
      () => true,
      () => false,
    );
  return (await endsWithin(answer, answerWithinMs)) && (await answer);
}
