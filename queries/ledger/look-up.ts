import { ledgerHeaderOf, recordsOf } from '../../shared/contracts/ledger-header.ts';
import { type QueueName, queueNames } from '../../shared/contracts/queues.ts';
import { chunkOfJob } from '../../shared/platform/chunk-of-job.ts';
import { jsonOrNull } from '../../shared/platform/json-or-null.ts';
import { type FoundJob, findJobs, readJobData } from '../../shared/platform/redis/find-jobs.ts';
import { searchShards } from '../../shared/platform/redis/find-shards.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { QueuedRun } from './cut-gap.ts';
import type { Gap } from './gaps.ts';
import { jobIdOf, type LifeKey } from './life-key.ts';

/** The queues of a deployment: where jobs are looked for. */
export interface RedisNamespace {
  redis: Redis;
  namespace: string;
}

/** A gap with its life. */
export interface LifeGap {
  key: LifeKey;
  gap: Gap;
  /** records of the whole chunk, if the gap is of one chunk: its producer may have sent it in parts. Null: it has several */
  chunkRecords: number | null;
}

/** What Redis has of the chunks of a gap. */
export interface LookedUp {
  queued: QueuedRun[];
  /** the last chunk that was asked about; Infinity: all were. null: Redis did not answer */
  askedUntilSeq: number | null;
}

/** Ids that are looked up at once, for all gaps together. */
export const mostIds = 20_000;
/** Jobs that are read, for where a run of queued chunks begins or ends inside a gap. */
const mostHeaders = 200;
const answerWithinMs = 2_000;

/**
 * Asks Redis for the jobs of the chunks in gaps, on every shard. Short gaps come first: what is left out of a long one is a backlog.
 * Never throws.
 */
export async function lookUpGaps(
  place: RedisNamespace | null,
  gaps: readonly LifeGap[],
): Promise<Map<LifeGap, LookedUp>> {
  const asked = new Map<LifeGap, number>();
  let room = mostIds;
  for (const entry of gaps.toSorted((a, b) => lengthOf(a) - lengthOf(b))) {
    const length = Math.min(room, lengthOf(entry));
    asked.set(entry, length);
    room -= length;
  }
  const found = new Map<QueueName, ReadonlyMap<string, FoundJob> | null>();
  for (const queue of queueNames) {
    const ofQueue = gaps.filter(({ key }) => key.queue === queue);
    const ids = ofQueue.flatMap((entry) => idsOf(entry, asked.get(entry) ?? 0));
    if (ids.length === 0) continue;
    const jobs = place === null ? null : await findInQueue(place, queue, ids);
    found.set(queue, jobs === null || place === null ? null : await withParts(place, queue, jobs, ofQueue));
  }
  const headers = createHeaderReader(place);
  const results = new Map<LifeGap, LookedUp>();
  for (const entry of gaps) {
    const jobs = found.get(entry.key.queue);
    const length = asked.get(entry) ?? 0;
    if (jobs === null || jobs === undefined) results.set(entry, { queued: [], askedUntilSeq: length === 0 ? 0 : null });
    else
      results.set(entry, {
        queued: await toRuns(entry, length, jobs, headers),
        askedUntilSeq: length === lengthOf(entry) ? Number.POSITIVE_INFINITY : entry.gap.fromSeq + length - 1,
      });
  }
  return results;
}

function lengthOf({ gap: { fromSeq, untilSeq } }: LifeGap): number {
  return untilSeq - fromSeq + 1;
}

function idsOf({ key, gap }: LifeGap, length: number): string[] {
  return Array.from({ length }, (_, index) => jobIdOf(key, gap.fromSeq + index));
}

/** Null: not every shard answered, and what was not found may be there. */
async function findInQueue(
  { redis, namespace }: RedisNamespace,
  queue: QueueName,
  ids: readonly string[],
): Promise<ReadonlyMap<string, FoundJob> | null> {
  const { found: shards, unanswered } = await searchShards(redis, { queue, namespace, answerWithinMs });
  const { found, isComplete } = await findJobs(redis, ids, { shards, namespace, answerWithinMs });
  return isComplete && unanswered.length === 0 ? found : null;
}

/** Ids of parts that are looked up. A chunk is in parts when Redis had refused the whole of it. */
const mostPartIds = 20_000;

/** Adds the chunks of which only a part is in Redis. @returns null if not every shard answered */
async function withParts(
  place: RedisNamespace,
  queue: QueueName,
  jobs: ReadonlyMap<string, FoundJob>,
  gaps: readonly LifeGap[],
): Promise<ReadonlyMap<string, FoundJob> | null> {
  const wholeOf = new Map<string, string>();
  for (const { key, gap, chunkRecords } of gaps) {
    const id = jobIdOf(key, gap.fromSeq);
    if (chunkRecords === null || jobs.has(id)) continue;
    for (const part of partIds(id, 0, chunkRecords)) if (wholeOf.size < mostPartIds) wholeOf.set(part, id);
  }
  if (wholeOf.size === 0) return jobs;
  const found = await findInQueue(place, queue, [...wholeOf.keys()]);
  if (found === null) return null;
  return new Map([...jobs, ...[...found].map(([part, job]) => [wholeOf.get(part) ?? part, job] as const)]);
}

/** A producer sends a refused chunk in halves, and those in halves, down to the records at fault. */
function* partIds(id: string, from: number, until: number): Generator<string> {
  if (until - from < 2) return;
  const middle = from + Math.floor((until - from) / 2);
  for (const [start, end] of [
    [from, middle],
    [middle, until],
  ] as const) {
    yield `${id}.${start}-${end}`;
    yield* partIds(id, start, end);
  }
}

/** Where a chunk lies among the records of its life, by the header in its job. */
type ReadHeader = (id: string, job: FoundJob) => Promise<{ start: number; end: number } | null>;

function createHeaderReader(place: RedisNamespace | null): ReadHeader {
  let room = mostHeaders;
  return async (id, { shard }) => {
    if (place === null || room === 0) return null;
    room -= 1;
    const text = await readJobData(place.redis, id, { shard, namespace: place.namespace }).catch(() => null);
    const chunk = text === null ? null : chunkOfJob({ data: jsonOrNull(text) as { v?: unknown } | null });
    const header = chunk === null ? null : ledgerHeaderOf(chunk);
    return header === null ? null : { start: header.before, end: header.before + recordsOf(header) };
  };
}

async function toRuns(
  { key, gap }: LifeGap,
  length: number,
  jobs: ReadonlyMap<string, FoundJob>,
  read: ReadHeader,
): Promise<QueuedRun[]> {
  const runs: QueuedRun[] = [];
  for (let seq = gap.fromSeq; seq < gap.fromSeq + length; seq += 1) {
    const job = jobs.get(jobIdOf(key, seq));
    if (job === undefined) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.untilSeq === seq - 1 && last.isFailed === job.isFailed) last.untilSeq = seq;
    else runs.push({ fromSeq: seq, untilSeq: seq, start: null, end: null, isFailed: job.isFailed });
  }
  const headerOf = async (seq: number) => {
    const id = jobIdOf(key, seq);
    const job = jobs.get(id);
    return job === undefined ? null : read(id, job);
  };
  for (const run of runs) {
    // The ends of the gap itself are known.
    if (run.fromSeq > gap.fromSeq) run.start = (await headerOf(run.fromSeq))?.start ?? null;
    if (run.untilSeq < gap.untilSeq) run.end = (await headerOf(run.untilSeq))?.end ?? null;
  }
  return runs;
}
