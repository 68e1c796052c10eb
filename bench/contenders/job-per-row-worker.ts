import { Worker } from 'bullmq';
import type { Prisma } from '../../prisma/client/client.ts';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { jobPerRowQueue } from './job-per-row.ts';

// The process behind `job-per-row.ts`, as a careful user of BullMQ and Prisma would write it. It ends with its parent.

const concurrency = 50;
/** the driver's own default */
const poolSize = 10;

const config = loadConfig(process.env);
const database = createDatabase({ ...config.database, poolSize }, 'bench: a job per row');
const redis = createRedis(requireRedis(config.redis), { role: 'worker', name: 'bench', logger: null });
const worker = new Worker<Prisma.StrategyExecutionLogCreateInput>(
  jobPerRowQueue,
  async ({ data }) => void (await database.strategyExecutionLog.create({ data })),
  { connection: redis, concurrency },
);
worker.on('failed', (_job, error) => process.stderr.write(`a job per row: ${error.message}\n`));
worker.on('error', (error) => process.stderr.write(`a job per row: ${error.message}\n`));
await worker.waitUntilReady();
process.once('disconnect', () => process.exit());
process.send?.('ready');
