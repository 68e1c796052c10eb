import { endsWithin } from '../../shared/platform/lifecycle.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { askServerOf } from '../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';

const answerWithinMs = 1_000;

/** Asks Redis and PostgreSQL at most once at a time: null when both answer within a second, else which does not. */
export function createReadiness(deps: {
  redis: Redis;
  /** one for each server that has to answer: a cluster has several */
  keys: readonly string[];
  database: Database;
  isStopping: () => boolean;
  /** why the worker takes no work although nothing it needs is away; null when it does */
  notReadyReason: () => string | null;
}) {
  let asking: Promise<string | null> | null = null;

  const ask = async (): Promise<string | null> => {
    const answered = await Promise.all([
      answers(() => Promise.all(deps.keys.map((key) => askServerOf(deps.redis, key)))),
      databaseAnswers(deps.database),
    ]);
    const silent = ['Redis', 'PostgreSQL'].filter((_name, index) => !answered[index]);
    return silent.length === 0 ? null : `${silent.join(' and ')} did not answer`;
  };

  return async (): Promise<string | null> => {
    if (deps.isStopping()) return 'stopping';
    const halted = deps.notReadyReason();
    if (halted !== null) return halted;
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
}

/** Whether PostgreSQL answers within a second. */
export function databaseAnswers(database: Database): Promise<boolean> {
  return answers(() => database.$queryRaw`select 1`);
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
