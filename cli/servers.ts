import { type Config, loadConfig, requireRedis } from '../shared/platform/config/config.ts';
import { toError } from '../shared/platform/errors.ts';
import { createDatabase, type Database } from '../shared/platform/postgres/database.ts';
import { createRedis, type Redis } from '../shared/platform/redis/redis.ts';
import type { CommandContext } from './context.ts';

/** Works with the database of DATABASE_URL, and closes it. */
export async function withDatabase<T>(
  { environment }: CommandContext,
  name: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = createDatabase(loadConfig(environment, ['database']).database, `sluice ${name}`);
  try {
    return await work(database);
  } finally {
    await database.$disconnect();
  }
}

/** A person is waiting: a server that accepts connections but is silent for this long is given up. */
const redisSilenceMs = 5_000;

/**
 * Works with the Redis of REDIS_URL, connected, and closes it.
 *
 * @throws Redis' error, marked as such; also if Redis does not answer
 */
export async function withRedis<T>(
  { environment }: CommandContext,
  name: string,
  work: (redis: Redis, config: Pick<Config, 'namespace' | 'memoryShare' | 'shards'>) => Promise<T>,
): Promise<T> {
  const config = loadConfig(environment, ['redis', 'namespace', 'memoryShare', 'shards']);
  const redis = createRedis(requireRedis(config.redis), {
    role: 'consumer',
    name: `sluice:${name}`,
    logger: null,
    silenceMs: redisSilenceMs,
  });
  try {
    await redis.connect().catch(throwOfRedis);
    return await work(redis, config);
  } catch (thrown) {
    if (toError(thrown).name === 'ReplyError') throwOfRedis(thrown);
    throw thrown;
  } finally {
    redis.disconnect();
  }
}

/** A Redis error does not say that it comes from Redis. */
function throwOfRedis(thrown: unknown): never {
  throw new Error(`Redis: ${toError(thrown).message}`, { cause: thrown });
}
