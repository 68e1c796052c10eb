import type { Job, KeepJobs, WorkerOptions } from 'bullmq';
import { type Chunk, chunkId } from '../../shared/contracts/chunk.ts';
import { readCompressedChunk, readPlainHead } from '../../shared/contracts/compressed-chunk.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { evenWhenFull } from '../../shared/platform/redis/redis-scripts.ts';

/** Completed jobs of a shard that stay, at most: their number, and the bytes of each as it lies in Redis. */
export const keptJobs = { count: 10, maxBytes: 64 * 1_024 } as const;

/** How long one stays. It holds records that may be deleted in PostgreSQL meanwhile. */
export const keptForSeconds = 600;

/** A worker process lets one job of a shard stay in so much time, at most. */
const everyMs = 1_000;

const kept: KeepJobs = { count: keptJobs.count, age: keptForSeconds };

/** What BullMQ does with completed jobs: it removes them at once, and counts them for each minute of the last day. */
export const onComplete = {
  removeOnComplete: { count: 0 },
  metrics: { maxDataPoints: 24 * 60 },
} satisfies Partial<WorkerOptions>;

/**
 * Bounds what stays, in time and by the memory of Redis: BullMQ itself removes an old job when another one is kept. While more than
 * half of Redis is in use, nothing stays.
 *
 * KEYS[1] the list of completed jobs, KEYS[2] the beginning of their keys. ARGV[1] ms to stay. Where INFO is forbidden, the memory is
 * taken to suffice.
 */
const boundKept = evenWhenFull(`
  local info = redis.pcall('INFO', 'memory')
  local text = type(info) == 'string' and info or ''
  local used = tonumber(string.match(text, '\\nused_memory:(%d+)') or 0)
  local most = tonumber(string.match(text, '\\nmaxmemory:(%d+)') or 0)
  local isCrowded = most > 0 and used > most / 2
  for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, 99)) do
    local job = KEYS[2] .. id
    if isCrowded then
      redis.call('DEL', job)
      redis.call('ZREM', KEYS[1], id)
    elseif redis.call('PTTL', job) == -1 then
      redis.call('PEXPIRE', job, ARGV[1])
    end
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return 0`);

/**
 * Lets a few completed jobs of a shard stay in Redis for a while, so that Bull Board has something to show: small ones, and one in a
 * second. They keep their own data, so an erasure finds them as it finds any other job.
 */
export function createCompletedSample({
  redis,
  keyOf,
  now,
}: {
  redis: Redis;
  /** the key of a part of the queue, or of a job */
  keyOf(part: string): string;
  /** in ms, of any clock that does not go back */
  now(): number;
}) {
  let notBefore = Number.NEGATIVE_INFINITY;
  let bounding: Promise<unknown> = Promise.resolve();

  const bound = (): void => {
    const bounded = redis.eval(boundKept, 2, keyOf('completed'), keyOf(''), keptForSeconds * 1_000);
    // What could not be bounded is bounded with the next one.
    bounding = bounded.catch(() => undefined);
  };

  return {
    /** Of what a worker left that died between the two steps. */
    start: bound,
    /**
     * Decides about a job that is about to be acknowledged, whatever its producer wants.
     *
     * @param data as it lies in Redis; null: it must not stay
     */
    decide(job: Job, data: string | null): void {
      const isKept = data !== null && now() >= notBefore && isSmall(data) && isNamedAfter(data, job.id);
      if (isKept) notBefore = now() + everyMs;
      job.opts.removeOnComplete = isKept ? kept : onComplete.removeOnComplete;
    },
    /** To be called for each job that is acknowledged. */
    completed(job: Job): void {
      if (job.opts.removeOnComplete === kept) bound();
    },
    /** Resolves when what stays is bounded, or Redis does not answer. */
    async close(): Promise<void> {
      await endsWithin(bounding, everyMs);
    },
  };
}

function isSmall(data: string): boolean {
  // Most are far from the limit, on either side of it.
  return data.length <= keptJobs.maxBytes && Buffer.byteLength(data) <= keptJobs.maxBytes;
}

/** Whether a job has the id of its chunk, as it should: another one might come again with other records, and must not be taken for it. */
function isNamedAfter(data: string, id: string | undefined): boolean {
  const { origin } = readCompressedChunk(data) ?? readPlainHead(Buffer.from(data)) ?? {};
  return origin !== undefined && chunkId(JSON.parse(`{${origin}}`) as Chunk) === id;
}
