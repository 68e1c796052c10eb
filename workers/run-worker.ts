import { Registry } from 'prom-client';
import { type Config, requireUrl } from '../shared/config.ts';
import { createDatabase } from '../shared/database.ts';
import { createCloseStack, endsWithin, untilAskedToStop } from '../shared/lifecycle.ts';
import { createLogger } from '../shared/logger.ts';
import { createRedis } from '../shared/redis.ts';
import { createExecutionLog } from './execution-log/pipeline.ts';
import { startPartitionKeeper } from './partition-keeper.ts';
import { startProbeServer } from './probe-server.ts';
import { createReadiness } from './readiness.ts';

/** The kinds of worker that a process can be. */
export const workerRoles = ['execution-log'] as const;

const closeTimeoutMs = 2_000;

/**
 * Runs a worker until it is asked to stop, and then until what it holds is settled, at most `SLUICE_SHUTDOWN_TIMEOUT_MS`.
 *
 * @returns the exit code: 0 when everything it held is settled, 1 when the time was up first. Then its jobs go to the
 *   other workers; nothing is lost.
 * @throws UsageError when a URL is missing, Error when the tables are not there
 */
export async function runWorker(config: Config): Promise<number> {
  const logger = createLogger({ level: config.logLevel, name: 'sluice-worker' });
  const asked = untilAskedToStop();
  const closing = createCloseStack((part, error) => logger.warn({ part, err: error }, 'closing failed'));
  const stopping = new AbortController();
  try {
    const database = createDatabase(config.database, 'sluice worker');
    closing.push('database', () => database.$disconnect());
    const redis = createRedis(requireUrl(config.redisUrl, 'REDIS_URL'), {
      role: 'worker',
      name: 'sluice:worker',
      logger,
    });
    closing.push('redis', async () => redis.disconnect());
    const registry = new Registry();
    const executionLog = createExecutionLog({ config, database, redis, logger, registry });

    const isStopping = () => stopping.signal.aborted;
    const whyNotReady = createReadiness({ redis, database, isStopping, isHalted: executionLog.isHalted });
    const probes = await startProbeServer({ ...config.worker, registry, whyNotReady });
    closing.push('probes', probes.close);
    logger.info({ url: probes.url }, 'worker is up');
    process.send?.({ probes: probes.url });

    const partitions = startPartitionKeeper({ config, database, logger, registry, signal: stopping.signal });
    closing.push('partitions', partitions.stop);
    const started = partitions.ready.then(() => !isStopping() && executionLog.start());
    const reason = await Promise.race([asked, started.then(() => asked)]);

    logger.info({ reason, heldRecords: executionLog.heldRecords }, 'worker is stopping');
    stopping.abort();
    const inTime = await executionLog.stop(config.worker.shutdownTimeoutMs);
    if (inTime) logger.info('worker has stopped, everything is settled');
    else logger.error({ heldRecords: executionLog.heldRecords }, 'time is up, the rest is left to the other workers');
    return inTime ? 0 : 1;
  } finally {
    await endsWithin(closing.closeAll(), closeTimeoutMs);
  }
}
