import { beginProgress, findStuckness, noteProgress } from './progress.ts';

/** What the watch asks. */
export interface ProgressSources {
  settledJobs(): number;
  /** records that the worker holds */
  heldRecords(): number;
  /** jobs that wait in the queue and may be taken; null when Redis does not answer */
  takeableJobs(): Promise<number | null>;
  /** whether the worker itself has a reason to settle nothing, such as a database that refuses everything */
  exemption(): string | null;
  databaseAnswers(): Promise<boolean>;
  /** ms of a clock that does not jump */
  now(): number;
}

const looksWithinLimit = 5;
const slowestLookMs = 10_000;

/** Looks at a worker's progress every few seconds, so that a probe is answered at once from what is known. @param what see findStuckness */
export function startProgressWatch(sources: ProgressSources, stuckAfterMs: number, what?: string) {
  let progress = beginProgress(sources.now());
  let looking: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    const settledJobs = sources.settledJobs();
    const takeable = await sources.takeableJobs();
    const hasBacklog = sources.heldRecords() > 0 || (takeable ?? 0) > 0;
    const redisExemption = takeable === null ? 'Redis does not answer' : null;
    let exemption = sources.exemption() ?? redisExemption;
    if (hasBacklog && exemption === null && !(await sources.databaseAnswers()))
      exemption = 'PostgreSQL does not answer';
    progress = noteProgress(progress, { atMs: sources.now(), settledJobs, hasBacklog, exemption }, stuckAfterMs);
  };

  const timer = setInterval(
    () => {
      // A look that takes its time is not joined by another one.
      looking ??= look()
        .catch(() => undefined)
        .finally(() => {
          looking = null;
        });
    },
    Math.min(slowestLookMs, stuckAfterMs / looksWithinLimit),
  );
  timer.unref();

  return {
    livenessFailure: (): string | null => findStuckness(progress, stuckAfterMs, what),
    /** Resolves when no look goes on any more. */
    async stop(): Promise<void> {
      clearInterval(timer);
      await looking;
    },
  };
}
