import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { classifyRedisError, explainRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import { retry } from '../../shared/platform/retry.ts';
import { retryWhileWorthWaiting } from '../runtime/database-retry.ts';
import type { HealthMetrics } from './metrics.ts';
import type { HealthView } from './view.ts';

/** What there is to mend where it is not what a worker of a queue would have to. */
const remedies: Record<string, string> = {
  WRONGTYPE:
    'SLUICE_HEALTH_STREAM or SLUICE_HEALTH_LOBBY_STREAM names a key that is not a stream, or its bookkeeping key is not a hash',
  NOPERM: 'allow the user of REDIS_URL to read the event stream, write to the lobby stream and run scripts',
};

/** Asks both servers for as long as that can help. */
export type ServerTrouble = ReturnType<typeof createServerTrouble>;

/** Asks both servers again while they are in trouble, and tells log, metrics and probes which one is. */
export function createServerTrouble({
  backoff,
  logger,
  metrics,
  view,
}: {
  backoff: Backoff;
  logger: Logger;
  metrics: HealthMetrics;
  view: HealthView;
}) {
  /** of Redis, when it is in trouble */
  let whyNot = '';

  return {
    /** null while both do their work */
    notReadyReason(): string | null {
      if (view.trouble === null) return null;
      return `${view.trouble} does not carry out its commands${view.trouble === 'Redis' ? `: ${whyNot}` : ''}`;
    },

    /** Does what waiting can help with again and again. */
    async onDatabase<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
      let isInTrouble = false;
      const result = retryWhileWorthWaiting(work, {
        backoff,
        signal,
        onRetry({ code }, attempt, thrown) {
          isInTrouble = true;
          view.trouble = 'PostgreSQL';
          metrics.retries.inc({ server: 'postgres', code });
          if (attempt === 0)
            logger.warn({ reason: explainDatabaseError(thrown) }, 'database is in trouble; the stream waits');
        },
        onRecovered: () => logger.info('database answers again'),
      });
      try {
        return await result;
      } finally {
        // However it has ended: the database has answered, if only with a refusal, or nothing is asked of it any more.
        if (isInTrouble) view.trouble = null;
      }
    },

    /**
     * Asks Redis until it answers: a lost connection, a server that starts or is being replaced, and what a person has to
     * mend. Other roles of the process have nothing to do with that, so it is no reason to end.
     */
    onRedis<T>(redis: Redis, ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
      const connectAndAsk = async (): Promise<T> => {
        if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
        return ask();
      };
      return retry(connectAndAsk, {
        signal,
        delayMs(thrown, attempt) {
          const isRefused = isRefusal(thrown);
          view.trouble = 'Redis';
          whyNot = isRefused ? explainRedisError(thrown, remedies) : 'it does not answer';
          metrics.retries.inc({ server: 'redis', code: classifyRedisError(thrown).code });
          // A refusal may quote what was sent.
          const about = isRefused ? { reason: whyNot } : { err: toError(thrown) };
          if (attempt === 0) logger.warn(about, 'Redis is in trouble; the stream waits');
          return backoffMs(backoff, attempt, Math.random);
        },
        onRecovered() {
          view.trouble = null;
          logger.info('Redis answers again');
        },
      });
    },
  };
}
