import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import pg from 'pg';
import { startServers } from '../dev/servers/servers.ts';
import { say } from '../dev/steps.ts';
import { migrate } from '../prisma/migrate.ts';
import { type Config, loadConfig } from '../shared/platform/config/config.ts';
import { UsageError } from '../shared/platform/errors.ts';
import { createCloseStack } from '../shared/platform/lifecycle.ts';
import { createDatabase } from '../shared/platform/postgres/database.ts';
import { ensurePartitions, planPartitions } from '../shared/platform/postgres/partitions/partitions.ts';
import { createRedis } from '../shared/platform/redis/redis.ts';
import { redisAt } from '../shared/platform/redis/redis-target.ts';
import { type CpuMeter, createCpuMeter } from './cpu-meter.ts';

/** Private servers with the real schema, and what all parts of the bench need from them. */
export interface Testbed {
  /** includes the servers' URLs */
  config: Config;
  /** for child processes */
  environment: NodeJS.ProcessEnv;
  /** for logs; deleted when the bench ends */
  dir: string;
  databaseUrl: string;
  redisUrl: string;
  redis: Redis;
  versions: { postgres: string; redis: string };
  cpu: CpuMeter;
  /** the same with other servers in place of the Redis */
  cpuWith(redisPids: readonly number[]): CpuMeter;
  /** empties the table and writes a checkpoint, so that no run pays for the one before it */
  reset(): Promise<void>;
  countRows(): Promise<number>;
  /** written to PostgreSQL's log since it was made, and in the table with its indexes */
  readBytes(): Promise<{ walBytes: number; storedBytes: number }>;
  /** a connection of its own to PostgreSQL, until the bench ends */
  connect(name: string): Promise<pg.Client>;
  /** closes what was opened in reverse order when the bench ends */
  onClose(name: string, close: () => Promise<void>): void;
  close(): Promise<void>;
}

const table = 'strategy_execution_log';

/**
 * Starts real servers as `npm start` does, with fsync, in a fresh temporary directory, and brings the schema up to date.
 *
 * @throws UsageError if the environment names servers: the bench empties tables, which must not happen on a user's server
 */
export async function openTestbed(environment: NodeJS.ProcessEnv): Promise<Testbed> {
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'REDIS_SENTINEL_NODES', 'REDIS_CLUSTER_NODES']) {
    if (environment[name] !== undefined)
      throw new UsageError(`the bench empties tables, so it runs on private servers only; unset ${name}`);
  }
  const closing = createCloseStack((name, error) => say(`${name} could not be closed: ${String(error)}`));
  try {
    const dir = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    closing.push('the directory', () => rm(dir, { recursive: true, force: true }));
    const servers = await startServers(loadConfig(environment), environment, dir);
    closing.push('the servers', servers.stop);

    const { databaseUrl } = servers;
    const redisUrl = servers.redisUrl ?? '';
    const ownEnvironment = {
      SLUICE_LOG_LEVEL: 'warn',
      ...environment,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      // Whether a queue is empty is read in its first shard.
      SLUICE_QUEUE_SHARDS: '1',
    };
    const config = loadConfig(ownEnvironment);
    await migrate(config.database);
    const database = createDatabase(config.database, 'sluice bench');
    closing.push('the database client', () => database.$disconnect());
    await ensurePartitions(database, table, planPartitions(table, Date.now(), config.database.partitionDaysAhead));
    const redis = createRedis(redisAt(redisUrl), { role: 'worker', name: 'sluice:bench', logger: null }) as Redis;
    closing.push('the Redis client', async () => redis.disconnect());

    const [postgres] = await database.$queryRaw<{ version: string; pid: number }[]>`
      select current_setting('server_version') as version, pg_backend_pid() as pid`;
    const cpuWith = (redisPids: readonly number[]) => createCpuMeter({ backendPid: postgres?.pid ?? 0, redisPids });
    const redisInfo = await redis.info('server');
    const redisField = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(redisInfo)?.[1] ?? 'unknown';

    return {
      config,
      environment: ownEnvironment,
      dir,
      databaseUrl,
      redisUrl,
      redis,
      versions: { postgres: postgres?.version ?? 'unknown', redis: redisField('redis_version') },
      cpu: cpuWith([Number(redisField('process_id'))]),
      cpuWith,
      async reset() {
        await database.$executeRaw`truncate strategy_execution_log`;
        await database.$executeRaw`checkpoint`;
      },
      async countRows() {
        const [row] = await database.$queryRaw<
          { rows: number }[]
        >`select count(*)::int as rows from strategy_execution_log`;
        return row?.rows ?? 0;
      },
      async readBytes() {
        const [bytes] = await database.$queryRaw<{ walBytes: number; storedBytes: number }[]>`
          select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as "walBytes",
            (select sum(pg_total_relation_size(relid))::float8
             from pg_partition_tree('strategy_execution_log') where isleaf) as "storedBytes"`;
        return bytes ?? { walBytes: Number.NaN, storedBytes: Number.NaN };
      },
      async connect(name) {
        const client = new pg.Client({ connectionString: databaseUrl });
        client.on('error', () => undefined);
        await client.connect();
        closing.push(name, () => client.end());
        return client;
      },
      onClose: closing.push,
      close: closing.closeAll,
    };
  } catch (error) {
    await closing.closeAll();
    throw error;
  }
}
