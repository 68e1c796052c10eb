import { answerWithin } from './deadline.ts';
import type { Database } from './postgres/database.ts';

const answerWithinMs = 1_000;

/** Null when both servers answer within a second, else which does not. @param askRedis what the process needs of it */
export async function findSilentServers(
  askRedis: () => PromiseLike<unknown>,
  database: Database,
): Promise<string | null> {
  const answered = await Promise.all([answers(askRedis), databaseAnswers(database)]);
  const silent = ['Redis', 'PostgreSQL'].filter((_name, index) => !answered[index]);
  return silent.length === 0 ? null : `${silent.join(' and ')} did not answer`;
}

/** Whether PostgreSQL answers within a second. */
export function databaseAnswers(database: Database): Promise<boolean> {
  return answers(() => database.$queryRaw`select 1`);
}

async function answers(question: () => PromiseLike<unknown>): Promise<boolean> {
  return (await answerWithin(answerWithinMs, async () => [await question()])) !== null;
}
