import { setTimeout as sleep } from 'node:timers/promises';
import { refuseAboveShare, watchMemoryOf } from '../producers/core/memory-watch.ts';
import { createBullmqTransport, type ShardOf } from '../producers/core/transport.ts';
import { shardOfRequest } from '../producers/requests/request-shard.ts';
import { chunkVersion } from '../shared/contracts/chunk.ts';
import { type QueueName, queueNames } from '../shared/contracts/queues.ts';
import { replayProducer } from '../shared/contracts/replay.ts';
import { fromStreamDeadLetter } from '../shared/contracts/stream-dead-letter.ts';
import type { Database } from '../shared/platform/postgres/database.ts';
import type { Redis } from '../shared/platform/redis/redis.ts';
import {
  assertMayMark,
  listDeadLetters,
  listReplayableIds,
  markReplayed,
  type ReplayFilter,
  readPayloadSizes,
  type StoredDeadLetter,
} from './read.ts';
import { type Repair, repair } from './repairs.ts';
import { deadLettersInSteps } from './steps.ts';

/** What to put back into its queue, and how. */
export interface ReplayOptions {
  filter: ReplayFilter;
  repairs: readonly Repair[];
  /** maximum number of dead letters */
  limit: number;
  /** maximum number of dead letters per second; null: no limit */
  perSecond: number | null;
  /** called after each step with the number of dead letters put back so far */
  onProgress(replayed: number): void;
}

/** What a replay needs. */
export interface ReplayDeps {
  database: Database;
  redis: Redis;
  namespace: string;
  /** nothing is put back above this share of Redis' maxmemory: it would take the space that the workers need to proceed */
  memoryShare: number;
  /** over how many each queue is spread */
  shards: number;
}

/** The result of a replay. */
export interface ReplayResult {
  replayed: number;
  /** dead letters that hold an unreadable chunk instead of a record */
  skipped: string[];
}

/** Where a chunk belongs, as with producers; null: in any shard. */
const shardOf = {
  'execution-log': null,
  'completed-request': shardOfRequest,
} satisfies Record<QueueName, ShardOf | null>;

const deadLettersPerStep = 100;
/** A dead letter may be as large as a request, and is in memory several times on its way to Redis. */
const bytesPerStep = 4 * 1_048_576;

/**
 * Puts dead letters back into their queue, each as a chunk of its own; those of a stream go to its end, as entries. The job's id
 * consists of the dead letter's id and its number of replays, and the record's own id guards its row: interrupting and
 * restarting stores nothing twice.
 *
 * The chunk's producer names the dead letter. The worker therefore reopens it if the record fails again, whatever the repairs
 * made of it, and notes when the record is stored; until then the dead letter is replayed.
 */
export async function replayDeadLetters(deps: ReplayDeps, options: ReplayOptions): Promise<ReplayResult> {
  await assertMayMark(deps.database);
  // The selection is made once: a dead letter that fails again at once is open again, and must not be put back for ever.
  const found = await listReplayableIds(deps.database, options.filter, options.limit);
  const ids = found.flatMap(({ id, holdsRecord }) => (holdsRecord ? [id] : []));
  const result: ReplayResult = {
    replayed: 0,
    skipped: found.flatMap(({ id, holdsRecord }) => (holdsRecord ? [] : [id])),
  };
  const transports = queueNames.map((queue) => ({
    queue,
    transport: createBullmqTransport({ ...deps, queue, shardOf: shardOf[queue] }),
  }));
  const maxDeadLetters = Math.min(deadLettersPerStep, options.perSecond ?? deadLettersPerStep);
  let left = ids.length;
  for (const step of deadLettersInSteps(await readPayloadSizes(deps.database, ids), {
    maxDeadLetters,
    maxBytes: bytesPerStep,
  })) {
    const startedAt = performance.now();
    left -= step.length;
    const deadLetters = await listDeadLetters(deps.database, { ids: step, state: options.filter.state }, step.length);
    for (const { queue, transport } of transports) {
      const chunks = deadLetters
        .filter((deadLetter) => deadLetter.queue === queue)
        .map((deadLetter) => toChunk(deadLetter, options.repairs));
      if (chunks.length > 0) await transport.send(chunks);
    }
    const isOfStream = ({ queue }: StoredDeadLetter): boolean => !queueNames.some((name) => name === queue);
    await addToStreams(deps, deadLetters.filter(isOfStream), options.repairs);
    await markReplayed(deps.database, deadLetters);
    result.replayed += deadLetters.length;
    options.onProgress(result.replayed);
    if (options.perSecond !== null && left > 0) {
      await sleep(Math.max(0, (step.length / options.perSecond) * 1_000 - (performance.now() - startedAt)));
    }
  }
  return result;
}

/** @throws the first refusal of Redis, such as for a key that is not a stream */
async function addToStreams(
  { redis, memoryShare }: ReplayDeps,
  deadLetters: readonly StoredDeadLetter[],
  repairs: readonly Repair[],
): Promise<void> {
  const [first] = deadLetters;
  if (first === undefined) return;
  const memory = watchMemoryOf(redis, first.queue, memoryShare);
  await memory.join(redis);
  refuseAboveShare(memory, memoryShare);
  const pipeline = redis.pipeline();
  for (const { id, queue, payload } of deadLetters)
    pipeline.xadd(queue, '*', ...fromStreamDeadLetter(repair(payload, repairs), id));
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

function toChunk(
  { id, payload, replays, contractVersion }: StoredDeadLetter,
  repairs: readonly Repair[],
): { id: string; data: string } {
  const header = { v: contractVersion ?? chunkVersion, producer: replayProducer(id), epoch: 0, seq: replays + 1 };
  return {
    id: `${header.producer}.${header.epoch}.${header.seq}`,
    data: `${JSON.stringify(header).slice(0, -1)},"records":[${repair(payload, repairs)}]}`,
  };
}
