/** What is seen of a worker at one moment. */
export interface Observation {
  /** ms of a clock that does not jump */
  atMs: number;
  /** jobs that this worker has ended since it began, however they ended */
  settledJobs: number;
  /** whether there is something that it should be working on */
  hasBacklog: boolean;
  /** why nothing can be expected of it now: an outage elsewhere, a pause; null when there is no such reason */
  exemption: string | null;
}

/** Since when a worker has had work, no exemption, and nothing to show for it. */
export interface Progress {
  settledJobs: number;
  /** the last moment at which something was settled, or nothing was to be expected */
  lastFineAtMs: number;
  /** of the last observation */
  atMs: number;
}

/** The beginning of a worker. */
export function beginProgress(atMs: number): Progress {
  return { settledJobs: 0, lastFineAtMs: atMs, atMs };
}

/**
 * Takes an observation in. One that comes more than half of `stuckAfterMs` after the last says nothing about the time
 * between: the whole process was stopped, or its machine was.
 */
export function noteProgress(progress: Progress, observation: Observation, stuckAfterMs: number): Progress {
  const { atMs, settledJobs, hasBacklog, exemption } = observation;
  const isLate = atMs - progress.atMs > stuckAfterMs / 2;
  const isFine = settledJobs !== progress.settledJobs || !hasBacklog || exemption !== null || isLate;
  return { settledJobs, lastFineAtMs: isFine ? atMs : progress.lastFineAtMs, atMs };
}

/**
 * What a worker hangs on, as one line; null while it gets on or need not. An idle queue and an outage elsewhere are never
 * a reason to restart a worker.
 *
 * @param what it is that has not happened for so long
 */
export function findStuckness(
  { atMs, lastFineAtMs }: Progress,
  stuckAfterMs: number,
  what = 'jobs are waiting and PostgreSQL answers, but nothing has been settled',
): string | null {
  const forMs = atMs - lastFineAtMs;
  if (forMs < stuckAfterMs) return null;
  return `stuck: ${what} for ${Math.floor(forMs / 1_000)} s`;
}
