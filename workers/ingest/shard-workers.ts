import { queuePrefix, type ShardName } from '../../shared/contracts/queues.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createByteSemaphore } from '../runtime/byte-semaphore.ts';
import { createRedisClock } from '../runtime/redis-clock.ts';
import { createSlots } from '../runtime/slots.ts';
import { createDeadLetterBox } from './dead-letter-box.ts';
import { createHaltGuard } from './halt-guard.ts';
import type { ShardStates } from './metrics.ts';
import type { QueueDefinition } from './queue-definition.ts';
import { createShardWatch } from './shard-watch.ts';
import { createShardWorker, type ShardWorker, type ShardWorkerDeps } from './shard-worker.ts';

/** What the workers of all shards work with. */
type Deps = Omit<
  ShardWorkerDeps,
  'shard' | 'clock' | 'deadLetterBox' | 'guard' | 'slots' | 'isolated' | 'maxJobBytes' | 'onSettled'
> & {
  /** aborted when no more jobs are to be taken */
  stopping: AbortSignal;
};

/**
 * Consumes the queue of one kind of record: a worker for each of its shards, from when the shard is found. They share what the
 * role may have under way. When too many records turn out dead, all of them requeue their jobs and take no more.
 */
export function createShardWorkers(deps: Deps) {
  const { definition, config, redis, logger, breaker, stopping } = deps;
  const { queue } = definition;
  const { namespace } = config;
  const workers = new Map<ShardName, ShardWorker>();
  const opening = new Set<Promise<void>>();
  let silent: readonly ShardName[] = [];
  let settledJobs = 0;

  const guard = createHaltGuard(config.worker.deadShare, logger, async () => {
    await Promise.all([...workers.values()].map((worker) => worker.pause()));
  });
  const deadLetterBox = createDeadLetterBox({
    ...{ breaker, logger },
    jobDelayMs: config.worker.jobDelayMs,
    now: () => performance.now(),
  });
  const shared = {
    ...{ ...deps, guard, deadLetterBox },
    slots: createSlots(config.worker.concurrency),
    isolated: createByteSemaphore(1),
    maxJobBytes: maxJobBytesOf(definition),
    onSettled(): void {
      settledJobs += 1;
    },
  };

  const openShard = async (shard: ShardName): Promise<void> => {
    // Its server's own: those of a cluster have clocks of their own, and all workers of the shard go by this one.
    const clock = createRedisClock(redis, queuePrefix(shard, namespace));
    await clock.start(stopping);
    if (stopping.aborted || guard.isHalted) return;
    const ofShard = shard === queue ? logger : logger.child({ shard });
    const worker = createShardWorker({ ...shared, shard, clock, logger: ofShard });
    workers.set(shard, worker);
    ofShard.info({ queue, concurrency: config.worker.concurrency }, 'taking jobs');
    worker.run();
  };
  const open = async (shard: ShardName): Promise<void> => {
    const opened = openShard(shard);
    opening.add(opened);
    await opened.finally(() => opening.delete(opened));
  };

  const noteSilent = (shards: readonly ShardName[]): void => {
    const fallen = shards.filter((shard) => !silent.includes(shard));
    const back = silent.filter((shard) => !shards.includes(shard));
    silent = shards;
    // With one shard there are no others that could go on.
    if (watch.known.length === 1) return;
    if (fallen.length > 0) logger.warn({ queue, shards: fallen }, 'shards do not answer; the others go on');
    if (back.length > 0) logger.info({ queue, shards: back }, 'shards answer again');
    for (const shard of shards) workers.get(shard)?.giveBackAll();
  };
  const watch = createShardWatch({
    ...{ redis, queue, namespace },
    onFound: (shard) => void open(shard),
    onSilent: noteSilent,
  });

  /** Why the servers refuse, of the shards whose server answers. */
  const refusals = (): (string | null)[] => {
    const all = [...workers];
    const answering = all.filter(([shard]) => !silent.includes(shard));
    return (answering.length === 0 ? all : answering).map(([, worker]) => worker.whyRefused());
  };

  return {
    /** Opens the first shard, and the others when they are found. */
    async start(): Promise<void> {
      await open(queue);
      if (!stopping.aborted) watch.start();
    },
    stopWatch: watch.stop,
    /** Resolves when all jobs under way are settled. */
    async close(): Promise<void> {
      await Promise.allSettled(opening);
      await Promise.all([...workers.values()].map((worker) => worker.close()));
    },
    /** Ends the logs that tell of many events at a time. Call it when they are closed. */
    closeLogs(): void {
      for (const { closeLogs } of workers.values()) closeLogs();
    },
    /** ms since 1970, by the clock of a server of the queue */
    now(): number {
      for (const { clock } of workers.values()) if (clock.isTold) return clock.now();
      return Date.now();
    },
    shards: () => watch.known,
    states(): ShardStates {
      const refused = [...workers].filter(
        ([shard, { whyRefused }]) => !silent.includes(shard) && whyRefused() !== null,
      );
      return {
        working: watch.known.length - silent.length - refused.length,
        refused: refused.length,
        silent: silent.length,
      };
    },
    /** Resolves when the server of a shard answers. @throws when none does */
    askServers: watch.askServers,
    /** why Redis does not do what the workers need, when it refuses that for all shards; null when it does it for one */
    whyRefused(): string | null {
      const all = refusals();
      return all.every((refusal) => refusal !== null) ? (all[0] ?? null) : null;
    },
    /** whether jobs of a shard can be taken, as far as is known */
    isUsable: (shard: ShardName) => workers.get(shard)?.whyRefused() === null,
    /** whether they have stopped taking jobs because too many records are dead */
    isHalted: () => guard.isHalted,
    /** whether dead letters cannot be written, as far as was tried */
    lacksDeadLetterBox: () => deadLetterBox.isInTrouble,
    /** jobs ended so far, however they ended */
    settledJobs: () => settledJobs,
  };
}

/**
 * By the defaults of producers: of their settings a worker knows nothing, but a larger job counts when one was seen. One
 * character beyond ASCII may make each of a job's characters take two bytes.
 */
function maxJobBytesOf(definition: QueueDefinition): number {
  const { producer, requests } = loadConfig({}, ['producer', 'requests']);
  return 2 * Math.max(producer.chunk.maxBytes, definition.maxRecordBytes({ producer, requests }));
}
