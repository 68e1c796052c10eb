import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { explainRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import { type RetryOptions, retry } from '../../shared/platform/retry.ts';

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

export interface AskOptions extends Pick<RetryOptions, 'signal' | 'onRecovered'> {
  redis: Redis;
  backoff: Backoff;
  onFailure(error: Error, attempt: number): void;
}

/**
 * Asks Redis until it answers, with jittered backoff: a lost connection, a server that starts or is being replaced, and what a
 * person has to mend. Other roles of the process have nothing to do with that, so it is no reason to end.
 */
export function askRedis<T>(ask: () => Promise<T>, options: AskOptions): Promise<T> {
  const { redis, backoff, onFailure, ...others } = options;
  const connectAndAsk = async (): Promise<T> => {
    if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
    return ask();
  };
  return retry(connectAndAsk, {
    ...others,
    delayMs(thrown, attempt) {
      onFailure(toError(thrown), attempt);
      return backoffMs(backoff, attempt, Math.random);
    },
  });
}
