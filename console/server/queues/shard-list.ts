import { type QueueName, queueNames, type ShardName } from '../../../shared/contracts/queues.ts';
import { searchShards, withKnown } from '../../../shared/platform/redis/find-shards.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../../shared/platform/single-flight.ts';

/** The shards of a queue that are known. */
export interface KnownShards {
  shards: readonly ShardName[];
  /** false: a server did not say whether it has more of them */
  isComplete: boolean;
}

/** A search asks 256 times, so all that the console does shares one. It has to leave its caller time to read the shards. */
const answerWithinMs = 600;
const everyMs = 4_000;
/** After a search that was not answered by every server. */
const againMs = 1_000;

/**
 * The shards of each queue, as the console found them a few seconds ago. Whoever asks first waits for the search, later ones do not,
 * unless servers did not answer.
 */
export function createShardList(place: { redis: Redis; namespace: string }) {
  const lists = Object.fromEntries(queueNames.map((queue) => [queue, createListOf(queue, place)])) as Record<
    QueueName,
    ReturnType<typeof createListOf>
  >;
  return {
    of: (queue: QueueName): Promise<KnownShards> => lists[queue].read(),
    /** those that were found so far, without a search */
    foundOf: (queue: QueueName): readonly ShardName[] => lists[queue].found(),
  };
}

export type ShardList = ReturnType<typeof createShardList>;

function createListOf(queue: QueueName, { redis, namespace }: { redis: Redis; namespace: string }) {
  let known: KnownShards = { shards: [queue], isComplete: false };
  let searchedAtMs = Number.NEGATIVE_INFINITY;
  const search = singleFlight(async () => {
    const seen = await searchShards(redis, { queue, namespace, answerWithinMs });
    known = { shards: withKnown(seen, known.shards), isComplete: seen.unanswered.length === 0 };
    searchedAtMs = performance.now();
    return known;
  });
  return {
    found: () => known.shards,
    async read(): Promise<KnownShards> {
      const ageMs = performance.now() - searchedAtMs;
      if (ageMs < (known.isComplete ? everyMs : againMs)) return known;
      const searching = search();
      return known.isComplete ? known : await searching;
    },
  };
}
