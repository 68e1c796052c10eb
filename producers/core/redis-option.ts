import {
  noRedis,
  parseRedisSettings,
  type RedisSettings,
  type RedisTarget,
} from '../../shared/platform/redis/redis-target.ts';
import { checkRedisUrl } from '../../shared/platform/redis/redis-url.ts';

/** How a producer is told where Redis is. */
export interface RedisOption {
  /** `redis://…` or `rediss://…`: one server. Goes before `redis.url` */
  redisUrl?: string | null;
  /** one server, Sentinels or a cluster: the fields are those of the environment, from `REDIS_URL` to `REDIS_TLS_SERVERNAME` */
  redis?: Partial<RedisSettings>;
}

/**
 * Where the options lead.
 *
 * @returns null when they name no place
 * @throws RangeError that names every option that has a problem, and shows no value
 */
export function toRedisTarget({ redisUrl, redis }: RedisOption): RedisTarget | null {
  if (redisUrl) checkRedisUrl(redisUrl);
  const settings = { ...noRedis, ...redis, ...(redisUrl ? { url: redisUrl } : {}) };
  const parsed = parseRedisSettings(settings, (setting) =>
    setting === 'url' && redisUrl ? 'redisUrl' : `redis.${setting}`,
  );
  if ('problems' in parsed) throw new RangeError(parsed.problems.join('\n'));
  return parsed.target;
}
