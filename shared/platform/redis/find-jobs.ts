import type { ShardName } from '../../contracts/queues.ts';
import { askShards } from './ask-shards.ts';
import { queueKeys } from './read-queue.ts';
import type { Redis } from './redis.ts';

/** A job that a shard has, and that is not done. */
export interface FoundJob {
  shard: ShardName;
  isFailed: boolean;
}

/** What the shards said about the jobs. */
export interface JobSearch {
  found: ReadonlyMap<string, FoundJob>;
  /** false: a shard did not answer, so a job that was not found may be there */
  isComplete: boolean;
}

/** Commands in one round trip. */
const batch = 1_000;

/**
 * Looks for jobs by their ids on each of the shards, many in one round trip. A job that is done counts as not there, also while its
 * queue keeps it for people to look at. Never throws.
 *
 * @param options.answerWithinMs how long each shard may take for all of them
 */
export async function findJobs(
  redis: Redis,
  ids: readonly string[],
  { shards, namespace, answerWithinMs }: { shards: readonly ShardName[]; namespace: string; answerWithinMs: number },
): Promise<JobSearch> {
  const answers = await askShards(shards, answerWithinMs, (shard) => findOnShard(redis, ids, shard, namespace));
  return {
    found: new Map(answers.flatMap((answer) => (answer.answered ? answer.value : []))),
    isComplete: answers.every(({ answered }) => answered),
  };
}

async function findOnShard(
  redis: Redis,
  ids: readonly string[],
  shard: ShardName,
  namespace: string,
): Promise<[id: string, job: FoundJob][]> {
  const { of: key } = queueKeys(shard, namespace);
  const there: string[] = [];
  for (const some of inBatches(ids)) {
    const replies = await runAll(redis, some, (pipeline, id) => pipeline.exists(key(id)));
    there.push(...some.filter((_, index) => Number(replies[index]) > 0));
  }
  const found: [string, FoundJob][] = [];
  for (const some of inBatches(there)) {
    const [done, failed] = [
      await runAll(redis, some, (pipeline, id) => pipeline.zscore(key('completed'), id)),
      await runAll(redis, some, (pipeline, id) => pipeline.zscore(key('failed'), id)),
    ];
    for (const [index, id] of some.entries())
      if (done[index] === null) found.push([id, { shard, isFailed: failed[index] !== null }]);
  }
  return found;
}

function inBatches(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / batch) }, (_, index) =>
    ids.slice(index * batch, (index + 1) * batch),
  );
}

/** All keys are of one shard, so a cluster takes them in one pipeline, too. */
async function runAll(
  redis: Redis,
  ids: readonly string[],
  add: (pipeline: ReturnType<Redis['pipeline']>, id: string) => void,
): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) add(pipeline, id);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

/** The data of a job as it was added. Null: it is gone. */
export async function readJobData(
  redis: Redis,
  id: string,
  { shard, namespace }: { shard: ShardName; namespace: string },
): Promise<string | null> {
  return redis.hget(queueKeys(shard, namespace).of(id), 'data');
}
