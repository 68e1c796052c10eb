import { type QueueName, shardName } from '../../shared/contracts/queues.ts';
import { openQueue } from './fixtures.ts';
import { recordsOf } from './records-of.ts';

type Queued = Record<string, unknown>;

/** The records that wait in each of the first shards of a queue, in the order in which they were added. */
export async function queuedIn(
  { queue, namespace, redisUrl }: { queue: QueueName; namespace: string; redisUrl: string },
  shards: number,
): Promise<Queued[][]> {
  const all: Queued[][] = [];
  for (let index = 0; index < shards; index += 1) {
    const jobs = await openQueue(namespace, redisUrl, shardName(queue, index)).getJobs(['waiting'], 0, -1, true);
    all.push(jobs.flatMap((job) => recordsOf<Queued>(job)));
  }
  return all;
}
