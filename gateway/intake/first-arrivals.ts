import { hash } from 'node:crypto';
import { within } from '../../shared/platform/deadline.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { Refusal } from '../http/refusal.ts';

const keptSeconds = 86_400;
const answerWithinMs = 2_000;

/**
 * Remembers for a day when a body with an `Idempotency-Key` arrived first, so that its records have the same times when it is
 * sent again: rows are found by id and time.
 *
 * @param seed see `idSeed`
 * @throws Refusal when Redis does not answer
 */
export async function firstArrivalMs(redis: Redis, namespace: string, seed: string, nowMs: number): Promise<number> {
  const key = `{${namespace}:gateway}:first-arrival:${hash('sha256', seed, 'hex')}`;
  const ask = async (): Promise<number> => {
    const isFirst = (await redis.set(key, nowMs, 'EX', keptSeconds, 'NX')) === 'OK';
    const first = isFirst ? nowMs : Number(await redis.get(key));
    return Number.isFinite(first) && first > 0 ? first : nowMs;
  };
  try {
    return await within(ask(), answerWithinMs, () => {
      throw new Error('no answer in time');
    });
  } catch {
    throw new Refusal('redis-away', 'Redis does not answer at the moment; send the same body again later', {
      retryAfterSeconds: 2,
    });
  }
}
