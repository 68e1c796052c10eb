import type { QueueReading } from '../../../shared/platform/redis/read-queue.ts';

/** How fast jobs came and went over some time. */
export interface QueueRates {
  arrivalsPerSecond: number;
  /** jobs that were settled; failed jobs do not count */
  completionsPerSecond: number;
  /** the time between the two readings, in seconds */
  overSeconds: number;
}

type Counted = Pick<QueueReading, 'added' | 'waiting' | 'active' | 'delayed' | 'failed'>;

/**
 * The rates between two readings. BullMQ counts added jobs, and completed jobs leave the queue, because workers keep none.
 * So what was added, minus what the queue has grown by, was completed or has failed. This is exact, unless failed jobs are
 * removed meanwhile, by a person or because the failed set is full: those count as completed.
 *
 * @returns null if no time has passed, or the queue was recreated
 */
export function toRates(before: Counted, after: Counted, elapsedMs: number): QueueRates | null {
  const added = after.added - before.added;
  if (elapsedMs <= 0 || added < 0) return null;
  const ended = added - (unfinished(after) - unfinished(before));
  const completed = ended - (after.failed - before.failed);
  const perSecond = (jobs: number): number => (Math.max(0, jobs) * 1_000) / elapsedMs;
  return {
    arrivalsPerSecond: perSecond(added),
    completionsPerSecond: perSecond(completed),
    overSeconds: elapsedMs / 1_000,
  };
}

/** The rates of a queue, from those of its shards. @returns null if there are none, or those of a shard are not known yet */
export function sumRates(shards: readonly (QueueRates | null)[]): QueueRates | null {
  const known = shards.filter((rates) => rates !== null);
  if (known.length === 0 || known.length < shards.length) return null;
  return {
    arrivalsPerSecond: known.reduce((sum, { arrivalsPerSecond }) => sum + arrivalsPerSecond, 0),
    completionsPerSecond: known.reduce((sum, { completionsPerSecond }) => sum + completionsPerSecond, 0),
    overSeconds: Math.max(...known.map(({ overSeconds }) => overSeconds)),
  };
}

function unfinished({ waiting, active, delayed }: Counted): number {
  return waiting + active + delayed;
}
