import { queuePrefix } from '../../shared/contracts/queues.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import { oneLife } from '../../shared/platform/lifecycle.ts';
import { databaseAnswers } from '../../shared/platform/readiness.ts';
import { startProgressWatch } from '../runtime/progress-watch.ts';
import { createRedisClock } from '../runtime/redis-clock.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { createMetricsTeller } from '../runtime/tell-metrics.ts';
import { createBatchWriter } from './batch-writer.ts';
import { createBatcher } from './batcher.ts';
import { createDatabaseBreaker } from './database-breaker.ts';
import { createWorkerMetrics } from './metrics.ts';
import type { QueueDefinition } from './queue-definition.ts';
import { createQueueDepth } from './queue-depth.ts';
import { rehearse } from './rehearsal.ts';
import { createRecordWorker } from './worker.ts';

/** Time for the calls to Redis that requeue jobs. */
const requeueMs = 1_000;

/** What has to be ready before the first job is taken, and is kept ready until the worker stops. */
export type Preparation = (signal: AbortSignal) => {
  ready: Promise<void>;
  /** what `ready` waits for, as of a moment ago; null when nothing is known */
  whyWaiting(): string | null;
  stop(): Promise<void>;
};

/** A role put together: queue → worker → batcher → statement. */
export function createRecordRole(
  definition: QueueDefinition,
  { config, database, redis, logger, registry, memory }: RoleDeps<never>,
  prepare?: Preparation,
): Role {
  const { queue } = definition;
  const giveUp = new AbortController();
  const stopping = new AbortController();
  const clock = createRedisClock(redis, queuePrefix(queue, config.namespace));
  const readDepth = createQueueDepth({ redis, queue, namespace: config.namespace, now: clock.now });
  const metrics = createWorkerMetrics(registry, {
    queue,
    heldRecords: () => batcher.heldRecords,
    queueDepth: readDepth,
    isHalted: () => isHalted(),
    isOutage: () => breaker.isOutage,
    lacksDeadLetterBox: () => lacksDeadLetterBox(),
  });
  const teller = createMetricsTeller(logger);
  const { tellMetrics } = teller;
  const { breaker, closeLog } = createDatabaseBreaker({
    queue,
    config,
    logger,
    metrics,
    tellMetrics,
    signal: giveUp.signal,
    rehearse: () => rehearse(definition, database, clock.now()),
  });
  const { signal } = giveUp;
  const writer = createBatchWriter({
    ...{ definition, database, metrics, tellMetrics, breaker, memory, signal },
    backoff: config.retry,
  });
  const batcher = createBatcher({ limits: config.batch, write: writer.write });
  const { worker, isHalted, lacksDeadLetterBox, settledJobs, whyRefused, closeLogs } = createRecordWorker({
    definition,
    config,
    database,
    redis,
    logger,
    metrics,
    tellMetrics,
    batcher,
    breaker,
    clock,
    memory,
    signal,
  });
  const parts: { stop(): Promise<void> }[] = [];
  let livenessFailure = (): string | null => null;
  let whyWaiting = (): string | null => null;

  const notReadyReason = (): string | null => {
    const waitsFor = whyWaiting();
    if (waitsFor !== null) return `waits for ${waitsFor}`;
    if (isHalted()) return 'halted: too many records are dead';
    if (breaker.isOutage) return 'PostgreSQL does not accept its statements';
    return whyRefused();
  };

  const begin = (): void => {
    const watch = startProgressWatch(
      {
        settledJobs,
        heldRecords: () => batcher.heldRecords,
        takeableJobs: async () => {
          const seen = await readDepth();
          return seen === null ? null : seen.isHeldBack ? 0 : seen.waiting;
        },
        exemption: () =>
          notReadyReason() ?? (writer.isInTrouble ? 'statements wait for locks, take too long or fail' : null),
        databaseAnswers: () => databaseAnswers(database),
        now: () => performance.now(),
      },
      config.worker.stuckAfterMs,
    );
    parts.push(watch);
    livenessFailure = watch.livenessFailure;
    logger.info({ queue, concurrency: config.worker.concurrency }, 'taking jobs');
    worker.run().catch((error: unknown) => logger.fatal({ err: error }, 'worker loop ended'));
  };

  const { start, stop } = oneLife({
    async begin(): Promise<void> {
      await clock.start(stopping.signal);
      if (stopping.signal.aborted) return;
      const prepared = prepare?.(stopping.signal);
      if (prepared) {
        parts.push(prepared);
        whyWaiting = prepared.whyWaiting;
        await prepared.ready;
        whyWaiting = () => null;
      }
      if (!stopping.signal.aborted) begin();
    },
    /** What is not settled in time goes back to the queue, or, when Redis is away too, to whoever takes it when its lock has run out. */
    async end(timeoutMs: number): Promise<boolean> {
      stopping.abort();
      batcher.drain();
      const closed = worker.close();
      // Beside it: a look at the partitions may take some seconds to end.
      const parted = Promise.all(parts.map((part) => part.stop()));
      const inTime = await endsWithin(closed, timeoutMs);
      if (!inTime) {
        giveUp.abort();
        await endsWithin(closed, requeueMs);
      }
      await endsWithin(parted, requeueMs);
      for (const close of [closeLogs, closeLog, teller.close]) close();
      return inTime;
    },
  });

  return {
    start,
    stop,
    get heldRecords(): number {
      return batcher.heldRecords;
    },
    notReadyReason,
    livenessFailure: () => livenessFailure(),
  };
}
