import type { ShardName } from '../../contracts/queues.ts';
import { within } from '../deadline.ts';
import { toError } from '../errors.ts';
import { classifyRedisError, type RedisErrorClass } from './redis-errors.ts';

/** What a shard answered, or why it did not. */
export type ShardAnswer<T, Name extends string = ShardName> = { shard: Name } & (
  | { answered: true; value: T }
  | { answered: false; error: Error }
);

/**
 * Asks each shard of a queue, all at once. A server that is away costs the answers of its own shards only. Never throws.
 *
 * @param answerWithinMs how long each may take
 */
export function askShards<T, Name extends string = ShardName>(
  shards: readonly Name[],
  answerWithinMs: number,
  ask: (shard: Name) => Promise<T>,
): Promise<ShardAnswer<T, Name>[]> {
  const askOne = async (shard: Name): Promise<ShardAnswer<T, Name>> => {
    try {
      const value = await within(ask(shard), answerWithinMs, () => {
        throw new Error(`no answer within ${answerWithinMs} ms`);
      });
      return { shard, answered: true, value };
    } catch (thrown) {
      return { shard, answered: false, error: toError(thrown) };
    }
  };
  return Promise.all(shards.map(askOne));
}

/** The answers that came, and the shards that did not answer. */
export function partAnswers<T, Name extends string>(answers: readonly ShardAnswer<T, Name>[]) {
  return {
    answered: answers.filter((answer) => answer.answered),
    silent: answers.filter((answer) => !answer.answered),
  };
}

const lasting: readonly RedisErrorClass[] = ['setup', 'payload', 'unknown'];

/** The first refusal that a person has to mend, such as missing rights: not what a server answers that is away for a while. */
export function findLastingRefusal(silent: readonly { error: Error }[]): Error | null {
  return silent.find(({ error }) => lasting.includes(classifyRedisError(error).class))?.error ?? null;
}
