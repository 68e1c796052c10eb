import { loadConfig, requireUrl } from '../shared/config.ts';
import { createDatabase, type Database } from '../shared/database.ts';
import { toError } from '../shared/errors.ts';
import { createRedis, type Redis } from '../shared/redis.ts';
import type { CommandContext } from './context.ts';

/** Works with the database of DATABASE_URL, and closes it. */
export async function withDatabase<T>(
  { environment }: CommandContext,
  name: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = createDatabase(loadConfig(environment).database, `sluice ${name}`);
  try {
    return await work(database);
  } finally {
    await database.$disconnect();
  }
}

/** Works with the Redis of REDIS_URL, connected, and closes it. @throws what Redis says, said to be by Redis */
export async function withRedis<T>(
  { environment }: CommandContext,
  name: string,
  work: (redis: Redis, namespace: string) => Promise<T>,
): Promise<T> {
  const { redisUrl, namespace } = loadConfig(environment);
  const redis = createRedis(requireUrl(redisUrl, 'REDIS_URL'), {
    role: 'producer',
    name: `sluice:${name}`,
    logger: null,
  });
  try {
    await redis.connect().catch(throwOfRedis);
    return await work(redis, namespace);
  } catch (thrown) {
    if (toError(thrown).name === 'ReplyError') throwOfRedis(thrown);
    throw thrown;
  } finally {
    redis.disconnect();
  }
}

/** What Redis says does not say that it is Redis who does. */
function throwOfRedis(thrown: unknown): never {
  throw new Error(`Redis: ${toError(thrown).message}`, { cause: thrown });
}
