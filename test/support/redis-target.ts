import { inject } from 'vitest';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { type RedisSettings, type RedisTarget, redisAt } from '../../shared/platform/redis/redis-target.ts';

/** Sentinels and clusters that tests have started, by the URL that stands for them. */
const started = new Map<string, Record<string, string>>();

/** Lets a URL stand for Sentinels or a cluster, wherever a test says where its Redis is. @returns the URL */
export function standFor(environment: Record<string, string>): string {
  const url = `redis://${started.size}.invalid`;
  started.set(url, environment);
  return url;
}

/** What a process is told in order to find the Redis of a URL. */
export function redisEnvironment(url: string): Record<string, string> {
  const known = started.get(url) ?? (url === inject('redisUrl') ? inject('redisEnvironment') : null);
  return known ?? { REDIS_URL: url };
}

/** The same for the SDK. */
export function redisSettings(url: string): RedisSettings {
  return loadConfig(redisEnvironment(url), ['redis']).redis;
}

/** The same for a client. @throws RangeError when the URL is none */
export function targetOf(url: string): RedisTarget {
  return redisEnvironment(url)['REDIS_URL'] === url ? redisAt(url) : requireRedis(redisSettings(url));
}
