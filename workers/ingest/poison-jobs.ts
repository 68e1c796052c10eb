import type { Release } from '../runtime/byte-semaphore.ts';
import type { JobCounter } from './job-counter.ts';

/** What is asked about a job that was under way when workers died. */
export interface StalledJob {
  id: string;
  /** how often a worker that had it died or lost it */
  stalledCounter: number;
}

/** A job stalls for any reason at all, and with it all others that its worker had; three times is worth a look. */
const isolatedAfterStalls = 3;

/** A job was started alone too often without an end: it is taken to be what kills its workers. */
export class PoisonJobError extends Error {
  override readonly name = 'PoisonJobError';
}

/**
 * Finds the job that kills its workers, and spares those that merely were there. A job that has stalled repeatedly is
 * processed when no other such job is, and the start is counted first: if a worker dies then, this job is the cause.
 * Waiting for the database is no sign of poison, so such a start is taken back.
 */
export function createPoisonJobIsolation(options: {
  /** of starts */
  counter: JobCounter;
  /** starts alone after which a job is given up */
  maxStarts: number;
  /** calls back when statements begin to wait for the database; returns the end of the watch */
  onOutage(tell: () => void): () => void;
  /** resolves when no other such job is processed, and returns the end of the turn */
  enterTurn(): Promise<Release>;
}) {
  const { counter, maxStarts, enterTurn } = options;

  const runAlone = async <T>(job: StalledJob, work: () => Promise<T>): Promise<T> => {
    const starts = await counter.add(job.id);
    if (starts > maxStarts) {
      throw new PoisonJobError(
        `${maxStarts} workers died or hung while this was the only stalled job that they were running`,
      );
    }
    let isCounted = true;
    const takeBack = async (): Promise<void> => {
      if (!isCounted) return;
      isCounted = false;
      // A start that stays counted by mistake brings the job closer to the failed set, where nothing is lost.
      await counter.takeBack(job.id).catch(() => undefined);
    };
    const unwatch = options.onOutage(() => void takeBack());
    try {
      return await work();
    } finally {
      unwatch();
      await takeBack();
    }
  };

  return {
    /** Does `work`: at once, or in isolation when the job has stalled before. @throws PoisonJobError in place of one start too many */
    async run<T>(job: StalledJob, work: () => Promise<T>): Promise<T> {
      if (job.stalledCounter < isolatedAfterStalls) return work();
      const endTurn = await enterTurn();
      try {
        return await runAlone(job, work);
      } finally {
        endTurn();
      }
    },
  };
}
