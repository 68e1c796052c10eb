import { maxShards, type QueueName, type ShardName, shardIndex, shardNames } from '../../contracts/queues.ts';
import { answerWithin } from '../deadline.ts';
import { queueKeys } from './read-queue.ts';

/** If a server takes longer, its shards are as they were known before. */
const defaultAnswerWithinMs = 2_000;

/** The key that is there since a shard had its first job. */
export function shardKey(shard: ShardName, namespace: string): string {
  return queueKeys(shard, namespace).of('id');
}

/** A client, or what asks it. */
type Asked = { exists(key: string): Promise<number> };

/** What a search for the shards of a queue found. Both in the order of the shards. */
export interface ShardSearch {
  /** the shards that ever had a job, and the first one always */
  found: ShardName[];
  /** shards of which nobody said whether they are there: their server did not answer */
  unanswered: ShardName[];
}

/**
 * Searches for the shards of a queue that ever had a job. BullMQ counts the jobs of a queue in the script that adds them, and the
 * counter stays; so it is the registration, which no producer can forget and no single server holds for all. Asks for each, all at
 * once; never throws.
 *
 * @param options.upTo how many shards it asks for, from the first one. @default all 256
 */
export async function searchShards(
  redis: Asked,
  {
    queue,
    namespace,
    answerWithinMs = defaultAnswerWithinMs,
    upTo = maxShards,
  }: { queue: QueueName; namespace: string; answerWithinMs?: number; upTo?: number },
): Promise<ShardSearch> {
  const [first, ...others] = shardNames(queue, upTo) as [ShardName, ...ShardName[]];
  const answers = await Promise.all(
    others.map((shard) => answerWithin(answerWithinMs, () => redis.exists(shardKey(shard, namespace)))),
  );
  return {
    found: [first, ...others.filter((_, index) => (answers[index] ?? 0) > 0)],
    unanswered: others.filter((_, index) => answers[index] === null),
  };
}

/**
 * The shards of a queue that ever had a job, in their order, and the first one always: whoever works on a queue works on all of
 * them, also on those to which no producer adds any more.
 *
 * @param options.known shards that were found before: of a server that does not answer, only those are found
 */
export async function findShards(
  redis: Asked,
  { known = [], ...place }: { queue: QueueName; namespace: string; known?: readonly ShardName[]; upTo?: number },
): Promise<ShardName[]> {
  return withKnown(await searchShards(redis, place), known);
}

/** What was found, and of what nobody answered for, what was known before. */
export function withKnown({ found, unanswered }: ShardSearch, known: readonly ShardName[]): ShardName[] {
  const still = known.filter((shard) => unanswered.includes(shard));
  if (still.length === 0) return found;
  return [...found, ...still].toSorted((one, other) => shardIndex(one) - shardIndex(other));
}
