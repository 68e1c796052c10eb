/** What is known about a queue that needs workers. */
export interface QueueLoad {
  /** jobs that wait or are active */
  backlog: number;
  /** null: not measured yet */
  completionsPerSecond: number | null;
  isPaused: boolean;
  /** processes that take jobs; null if Redis does not tell */
  workers: number | null;
}

/** The slowest rate that is assumed, one job a minute, if nothing was completed. */
const slowest = 1 / 60;

/**
 * How long the backlog takes at the rate of the last minute, in seconds. Always a number, because autoscalers need one: if
 * no job was completed in the last minute, the result is as if one had been.
 */
export function backlogSeconds({ backlog, completionsPerSecond }: QueueLoad): number {
  return backlog / Math.max(completionsPerSecond ?? 0, slowest);
}

/**
 * How many workers are needed to clear the backlog in `targetSeconds`: the present number times the factor by which it
 * would take too long, rounded up, as Kubernetes scales by a metric. It assumes that each worker adds its share. If the
 * database is already saturated, the number grows in vain, so set an upper bound. At least one; exactly one for a paused
 * queue.
 *
 * @returns null if the present number is unknown
 */
export function desiredWorkers(load: QueueLoad, targetSeconds: number): number | null {
  if (load.workers === null) return null;
  if (load.isPaused) return 1;
  return Math.max(1, Math.ceil(load.workers * (backlogSeconds(load) / targetSeconds)));
}
