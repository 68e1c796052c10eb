import { Registry } from 'prom-client';
import type { Config } from '../shared/config.ts';
import { requireUrl } from '../shared/config.ts';
import { createDatabase } from '../shared/database.ts';
import { createCloseStack, endsWithin, untilAskedToStop } from '../shared/lifecycle.ts';
import { createLogger } from '../shared/logger.ts';
import { createRedis } from '../shared/redis.ts';
import { createBatcher } from './batcher.ts';
import { createBatchWriter, createExecutionLogWorker, executionLogQueue } from './execution-log/worker.ts';
import { createWorkerMetrics } from './metrics.ts';
import { startPartitionKeeper } from './partition-keeper.ts';
import { startProbeServer } from './probe-server.ts';
import { createQueueDepth } from './queue-depth.ts';
import { createReadiness } from './readiness.ts';

/** The kinds of worker that a process can be. */
export const workerRoles = ['execution-log'] as const;

/**
 * Runs a worker until it is asked to stop, and then until its last batch is committed, at most
 * `SLUICE_SHUTDOWN_TIMEOUT_MS`.
 *
 * @returns the exit code: 0 when everything it held is settled, 1 when the time was up first. Then its jobs go to the
 *   other workers when their locks run out; nothing is lost.
 */
export async function runWorker(config: Config): Promise<number> {
  const logger = createLogger({ level: config.logLevel, name: `sluice-worker-${executionLogQueue}` });
  const asked = untilAskedToStop();
  const closing = createCloseStack((part, error) => logger.warn({ part, err: error }, 'closing failed'));
  const giveUp = new AbortController();
  let stopping = false;

  const database = createDatabase(config.database, 'sluice worker');
  closing.push('database', () => database.$disconnect());
  const redis = createRedis(requireUrl(config.redisUrl, 'REDIS_URL'), {
    role: 'worker',
    name: 'sluice:worker',
    logger,
  });
  closing.push('redis', async () => redis.disconnect());

  const depth = createQueueDepth({ redis, queue: executionLogQueue, namespace: config.namespace, now: Date.now });
  const registry = new Registry();
  const metrics = createWorkerMetrics(registry, { heldRecords: () => batcher.heldRecords, queueDepth: depth.read });
  const write = createBatchWriter({ config, database, logger, metrics, signal: giveUp.signal });
  const batcher = createBatcher({ limits: config.batch, write });
  const worker = createExecutionLogWorker({ config, database, redis, logger, metrics, batcher });

  const probes = await startProbeServer({
    ...config.worker,
    registry,
    whyNotReady: createReadiness({ redis, database, isStopping: () => stopping }),
  });
  closing.push('probes', probes.close);
  logger.info({ url: probes.url }, 'worker is up');
  process.send?.({ probes: probes.url });

  const partitions = startPartitionKeeper({ config, database, logger, registry, signal: giveUp.signal });
  closing.push('partitions', partitions.stop);
  const started = partitions.ready.then(() => {
    if (!stopping) worker.run().catch((error: unknown) => logger.fatal({ err: error }, 'worker loop ended'));
  });
  const reason = await Promise.race([asked, started.then(() => asked)]);

  stopping = true;
  logger.info({ reason }, 'worker is stopping');
  batcher.drain();
  const drained = worker.close();
  const inTime = await endsWithin(drained, config.worker.shutdownTimeoutMs);
  if (!inTime) {
    logger.error({ heldRecords: batcher.heldRecords }, 'time is up, leaving the rest to the other workers');
    giveUp.abort();
    await endsWithin(drained, 1_000);
  }
  await endsWithin(depth.close(), 1_000);
  await endsWithin(closing.closeAll(), 2_000);
  logger.info({ inTime }, 'worker has stopped');
  return inTime ? 0 : 1;
}
