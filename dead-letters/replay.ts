import { setTimeout as sleep } from 'node:timers/promises';
import { refuseAboveShare, watchMemoryOf } from '../producers/core/memory-watch.ts';
import { createBullmqTransport } from '../producers/core/transport.ts';
import { chunkVersion } from '../shared/contracts/chunk.ts';
import { queueNames } from '../shared/contracts/queues.ts';
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

/** What is to be put back into its queue, and how. */
export interface ReplayOptions {
  filter: ReplayFilter;
  repairs: readonly Repair[];
  /** dead letters at most */
  limit: number;
  /** dead letters per second at most; null: as fast as it goes */
  perSecond: number | null;
  /** told after each step: dead letters put back so far */
  onProgress(replayed: number): void;
}

/** What a replay works with. */
export interface ReplayDeps {
  database: Database;
  redis: Redis;
  namespace: string;
  /** above so much of Redis' maxmemory nothing is put back: it would take the room that the workers need to get on */
  memoryShare: number;
}

/** How a replay ended. */
export interface ReplayResult {
  replayed: number;
  /** dead letters that hold no record, but a chunk that could not be read */
  skipped: string[];
}

const deadLettersPerStep = 100;
/** Dead letters may be as large as requests are, and each is in memory several times on its way to Redis. */
const bytesPerStep = 4 * 1_048_576;

/**
 * Puts dead letters back into their queue, each as a chunk of its own; those of a stream go to its end, as entries. The job's id
 * is made of the dead letter's id and the number of its replays, and the record's own id guards its row: breaking off and
 * starting again stores nothing twice.
 *
 * The chunk's producer names the dead letter. So the worker opens it again when the record is dead once more, whatever the
 * repairs made of it, and notes when the record is stored; until then it is replayed.
 */
export async function replayDeadLetters(deps: ReplayDeps, options: ReplayOptions): Promise<ReplayResult> {
  await assertMayMark(deps.database);
  // Which dead letters is decided once: one that dies again at once is open again, and must not be put back for ever.
  const found = await listReplayableIds(deps.database, options.filter, options.limit);
  const ids = found.flatMap(({ id, holdsRecord }) => (holdsRecord ? [id] : []));
  const result: ReplayResult = {
    replayed: 0,
    skipped: found.flatMap(({ id, holdsRecord }) => (holdsRecord ? [] : [id])),
  };
  const transports = queueNames.map((queue) => ({ queue, transport: createBullmqTransport({ ...deps, queue }) }));
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

/** @throws the first refusal of Redis, such as for a key that is no stream */
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

function toChunk({ id, payload, replays }: StoredDeadLetter, repairs: readonly Repair[]): { id: string; data: string } {
  const header = { v: chunkVersion, producer: replayProducer(id), epoch: 0, seq: replays + 1 };
  return {
    id: `${header.producer}.${header.epoch}.${header.seq}`,
    data: `${JSON.stringify(header).slice(0, -1)},"records":[${repair(payload, repairs)}]}`,
  };
}
