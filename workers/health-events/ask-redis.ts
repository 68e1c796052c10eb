import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { explainRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';

/** What there is to mend where it is not what a worker of a queue would have to. */
const remedies: Record<string, string> = {
  WRONGTYPE:
    'SLUICE_HEALTH_STREAM or SLUICE_HEALTH_LOBBY_STREAM names a key that is not a stream, or its bookkeeping key is not a hash',
  NOPERM: 'allow the user of REDIS_URL to read the event stream, write to the lobby stream and run scripts',
};

/** Why Redis does not do what it is asked for, as one line that quotes nothing of what was sent. */
export function whyRedisFails(error: Error): string {
  return isRefusal(error) ? explainRedisError(error, remedies) : 'it does not answer';
}

export interface AskOptions {
  redis: Redis;
  backoff: Backoff;
  /** ends the asking: the last error is thrown */
  signal: AbortSignal;
  onFailure(error: Error, attempt: number): void;
  onRecovered(): void;
}

/**
 * Asks Redis until it answers, with jittered backoff: a lost connection, a server that starts or is being replaced, and what a
 * person has to mend. Other roles of the process have nothing to do with that, so it is no reason to end.
 */
export async function askRedis<T>(ask: () => Promise<T>, options: AskOptions): Promise<T> {
  const { redis, backoff, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
      const answer = await ask();
      if (attempt > 0) options.onRecovered();
      return answer;
    } catch (thrown) {
      const error = toError(thrown);
      if (signal.aborted) throw error;
      options.onFailure(error, attempt);
      await sleep(backoffMs(backoff, attempt, Math.random), undefined, { signal }).catch(() => undefined);
    }
  }
}
