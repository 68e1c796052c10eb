import { join } from 'node:path';
import type { Config } from '../../shared/platform/config/config.ts';
import { createCloseStack } from '../../shared/platform/lifecycle.ts';
import { isRedisNamed } from '../../shared/platform/redis/redis-target.ts';
import { say, step } from '../steps.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { findRedisBinary, installRedis } from './redis-binary.ts';

/** The servers that a fleet runs on: the user's, or private ones. */
export interface Servers {
  databaseUrl: string;
  /** null: the environment names Redis in another way, by its Sentinels or as a cluster */
  redisUrl: string | null;
  /** stops the private ones; the user's servers keep running */
  stop(): Promise<void>;
}

/**
 * Provides the servers that the configuration names, and starts a private one for each that it does not, with its data under
 * `dir`. Prints one line for each step. If one does not come up, it stops the other.
 */
export async function startServers(config: Config, environment: NodeJS.ProcessEnv, dir: string): Promise<Servers> {
  const closing = createCloseStack((name, error) => say(`${name} could not be stopped: ${String(error)}`));
  try {
    const databaseUrl = config.database.url ?? (await startPrivatePostgres());
    const redisUrl = isRedisNamed(config.redis) ? config.redis.url : await startPrivateRedis();
    return { databaseUrl, redisUrl, stop: closing.closeAll };
  } catch (error) {
    await closing.closeAll();
    throw error;
  }

  async function startPrivatePostgres(): Promise<string> {
    const server = await step(
      () => startPostgres({ dir: join(dir, 'postgres') }),
      ({ port, adopted }) => `PostgreSQL ${adopted ? 'reused from an earlier run' : 'started'} on 127.0.0.1:${port}`,
    );
    closing.push('PostgreSQL', server.stop);
    return server.url;
  }

  async function startPrivateRedis(): Promise<string> {
    const binary =
      (await findRedisBinary()) ??
      (await step(
        () => installRedis(environment),
        (path) => `Redis installed: ${path}`,
      ));
    const server = await step(
      () => startRedis({ binary, dir: join(dir, 'redis') }),
      ({ port, adopted }) => `Redis ${adopted ? 'reused from an earlier run' : 'started'} on 127.0.0.1:${port}`,
    );
    closing.push('Redis', server.stop);
    return server.url;
  }
}
