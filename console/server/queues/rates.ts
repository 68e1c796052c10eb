import type { QueueReading } from '../../../shared/platform/redis/read-queue.ts';

/** How fast jobs come and go, as it was over some time. */
export interface QueueRates {
  arrivalsPerSecond: number;
  /** jobs that were settled; those that failed are none */
  completionsPerSecond: number;
  /** the time between the two readings behind this, in seconds */
  overSeconds: number;
}

type Counted = Pick<QueueReading, 'added' | 'waiting' | 'active' | 'delayed' | 'failed'>;

/**
 * The rates between two readings. BullMQ counts what is added; a job that is done leaves the queue, as workers keep none. So
 * what was added, less what the queue has grown by, was done or has failed. Exact, unless failed jobs go meanwhile, removed by
 * a person or as the failed set is full: those count as done.
 *
 * @returns null when no time has passed, or the queue was made anew
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

function unfinished({ waiting, active, delayed }: Counted): number {
  return waiting + active + delayed;
}
