import type { Registry } from 'prom-client';
import type { Config } from '../../shared/config.ts';
import type { Database } from '../../shared/database.ts';
import { endsWithin } from '../../shared/lifecycle.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Redis } from '../../shared/redis.ts';
import { createBatcher } from '../batcher.ts';
import { createWorkerMetrics } from '../metrics.ts';
import { createQueueDepth } from '../queue-depth.ts';
import { createBatchWriter } from './batch-writer.ts';
import { executionLogQueue } from './queue.ts';
import { createExecutionLogWorker } from './worker.ts';

/** What the role works with; whoever opened it closes it. */
export interface ExecutionLogOptions {
  config: Config;
  database: Database;
  redis: Redis;
  logger: Logger;
  registry: Registry;
}

/** The role put together: queue → worker → batcher → statement. Takes no job before `start`. */
export function createExecutionLog({ config, database, redis, logger, registry }: ExecutionLogOptions) {
  const giveUp = new AbortController();
  const depth = createQueueDepth({ redis, queue: executionLogQueue, namespace: config.namespace, now: Date.now });
  const metrics = createWorkerMetrics(registry, {
    heldRecords: () => batcher.heldRecords,
    queueDepth: depth.read,
    isHalted: () => isHalted(),
  });
  const write = createBatchWriter({ config, database, logger, metrics, signal: giveUp.signal });
  const batcher = createBatcher({ limits: config.batch, write });
  const { worker, isHalted } = createExecutionLogWorker({
    config,
    database,
    redis,
    logger,
    metrics,
    batcher,
    signal: giveUp.signal,
  });

  return {
    /** records taken from the queue and not settled yet */
    get heldRecords(): number {
      return batcher.heldRecords;
    },
    isHalted,
    start(): void {
      logger.info({ queue: executionLogQueue, concurrency: config.worker.concurrency }, 'taking jobs');
      worker.run().catch((error: unknown) => logger.fatal({ err: error }, 'worker loop ended'));
    },
    /**
     * Takes no more jobs and settles those it has. What is not settled after `timeoutMs` goes back to the queue, or, when
     * Redis is away too, to whoever takes it when its lock has run out.
     *
     * @returns whether everything was settled in time
     */
    async stop(timeoutMs: number): Promise<boolean> {
      batcher.drain();
      const closed = worker.close();
      const inTime = await endsWithin(closed, timeoutMs);
      if (!inTime) {
        giveUp.abort();
        await endsWithin(closed, handBackMs);
      }
      await endsWithin(depth.close(), handBackMs);
      return inTime;
    },
  };
}

/** Time for the calls to Redis that hand jobs back. */
const handBackMs = 1_000;
