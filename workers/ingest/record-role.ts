import { endsWithin } from '../../shared/platform/deadline.ts';
import { oneLife } from '../../shared/platform/lifecycle.ts';
import { databaseAnswers } from '../../shared/platform/readiness.ts';
import { startProgressWatch } from '../runtime/progress-watch.ts';
import type { Role, RoleDeps } from '../runtime/role.ts';
import { createMetricsTeller } from '../runtime/tell-metrics.ts';
import { createBatchWriter } from './batch-writer.ts';
import { bytesOfJson, createBatcher } from './batcher.ts';
import { createCopyWriter } from './copy-writer.ts';
import { createDatabaseBreaker } from './database-breaker.ts';
import { createWorkerMetrics } from './metrics.ts';
import type { Batchers } from './process-chunk.ts';
import type { QueueDefinition } from './queue-definition.ts';
import { createQueueDepth } from './queue-depth.ts';
import { rehearse } from './rehearsal.ts';
import { createReportBox } from './report-box.ts';
import { createShardWorkers } from './shard-workers.ts';

/** Time for the calls to Redis that requeue jobs. */
const requeueMs = 1_000;

/** What has to be ready before the first job is taken, and is kept ready until the worker stops. */
export type Preparation = (signal: AbortSignal) => {
  ready: Promise<void>;
  /** what `ready` waits for, as of a moment ago; null when nothing is known */
  whyWaiting(): string | null;
  stop(): Promise<void>;
};

/** A role put together: shards of the queue → a worker each → one batcher → statement. */
export function createRecordRole(
  definition: QueueDefinition,
  { config, database, redis, logger, registry, memory }: RoleDeps<never>,
  prepare?: Preparation,
): Role {
  const { queue } = definition;
  const giveUp = new AbortController();
  const stopping = new AbortController();
  const readDepth = createQueueDepth({
    redis,
    shards: () => workers.shards(),
    isUsable: (shard) => workers.isUsable(shard),
    namespace: config.namespace,
    now: () => workers.now(),
  });
  const metrics = createWorkerMetrics(registry, {
    queue,
    heldRecords: () => heldRecords(),
    queueDepth: readDepth,
    shards: () => workers.states(),
    isHalted: () => workers.isHalted(),
    isOutage: () => breaker.isOutage,
    lacksDeadLetterBox: () => workers.lacksDeadLetterBox(),
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
    rehearse: () => rehearse(definition, database, workers.now()),
  });
  const { signal } = giveUp;
  const writer = createBatchWriter({
    ...{ definition, database, metrics, tellMetrics, breaker, memory, signal },
    backoff: config.retry,
  });
  const batchers: Batchers = {
    copy: createBatcher({
      limits: config.batch,
      bytesOf: ({ bytes }) => bytes,
      write: createCopyWriter({ definition, database, metrics, tellMetrics, breaker, memory }),
    }),
    json: createBatcher({ limits: config.batch, bytesOf: bytesOfJson, write: writer.write }),
  };
  const heldRecords = (): number => batchers.copy.heldRecords + batchers.json.heldRecords;
  const reports = createReportBox({ queue, database, breaker, metrics, tellMetrics });
  const workers = createShardWorkers({
    ...{
      reports,
      definition,
      config,
      database,
      redis,
      logger,
      metrics,
      tellMetrics,
      batchers,
      breaker,
      memory,
      signal,
    },
    stopping: stopping.signal,
  });
  const parts: { stop(): Promise<void> }[] = [];
  let livenessFailure = (): string | null => null;
  let whyWaiting = (): string | null => null;

  const notReadyReason = (): string | null => {
    const waitsFor = whyWaiting();
    if (waitsFor !== null) return `waits for ${waitsFor}`;
    if (workers.isHalted()) return 'halted: too many records are dead';
    if (breaker.isOutage) return 'PostgreSQL does not accept its statements';
    return workers.whyRefused();
  };

  const begin = async (): Promise<void> => {
    const watch = startProgressWatch(
      {
        settledJobs: workers.settledJobs,
        heldRecords,
        takeableJobs: async () => (await readDepth())?.takeable ?? null,
        exemption: () =>
          notReadyReason() ?? (writer.isInTrouble ? 'statements wait for locks, take too long or fail' : null),
        databaseAnswers: () => databaseAnswers(database),
        now: () => performance.now(),
      },
      config.worker.stuckAfterMs,
    );
    parts.push(watch);
    livenessFailure = watch.livenessFailure;
    await workers.start();
  };

  const { start, stop } = oneLife({
    async begin(): Promise<void> {
      const prepared = prepare?.(stopping.signal);
      if (prepared) {
        parts.push(prepared);
        whyWaiting = prepared.whyWaiting;
        await prepared.ready;
        whyWaiting = () => null;
      }
      if (!stopping.signal.aborted) await begin();
    },
    /** What is not settled in time goes back to the queue, or, when Redis is away too, to whoever takes it when its lock has run out. */
    async end(timeoutMs: number): Promise<boolean> {
      stopping.abort();
      for (const batcher of [...Object.values(batchers), reports]) batcher.drain();
      const closed = workers.close();
      // Beside it: a look at the partitions may take some seconds to end.
      const parted = Promise.all([workers.stopWatch(), ...parts.map((part) => part.stop())]);
      const inTime = await endsWithin(closed, timeoutMs);
      if (!inTime) {
        giveUp.abort();
        await endsWithin(closed, requeueMs);
      }
      await endsWithin(parted, requeueMs);
      for (const close of [workers.closeLogs, closeLog, teller.close]) close();
      return inTime;
    },
  });

  return {
    start,
    stop,
    get heldRecords(): number {
      return heldRecords();
    },
    notReadyReason,
    askRedis: workers.askServers,
    livenessFailure: () => livenessFailure(),
  };
}
