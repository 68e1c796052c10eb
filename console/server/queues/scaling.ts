/** What is known of a queue that workers are wanted for. */
export interface QueueLoad {
  /** jobs that wait or are being worked on */
  backlog: number;
  /** null: not measured yet */
  completionsPerSecond: number | null;
  isPaused: boolean;
  /** processes that take jobs; null when Redis does not tell */
  workers: number | null;
}

/** Delayed jobs are none of it: they wait for their time, not for a worker. */
export function backlogOf({ waiting, active }: { waiting: number; active: number }): number {
  return waiting + active;
}

/**
 * How many workers there must be at least: 1 while jobs of the queue are unfinished or came in the last minute. An autoscaler
 * that goes down to none goes by this, and not by the backlog: where workers keep up, that is 0 nearly whenever somebody looks,
 * and a delayed job is not in it, which only a worker takes up when its time has come.
 */
export function minWorkers(queue: {
  waiting: number;
  active: number;
  delayed: number;
  isPaused: boolean;
  rates: { arrivalsPerSecond: number } | null;
}): 0 | 1 {
  const { waiting, active, delayed, isPaused, rates } = queue;
  return !isPaused && waiting + active + delayed + (rates?.arrivalsPerSecond ?? 0) > 0 ? 1 : 0;
}

/** Below one job in a minute nothing was seen to be done, so no less is assumed. */
const slowest = 1 / 60;

/**
 * How long the backlog takes at the speed of the last minute, in seconds. Always a number, as autoscalers want one: where
 * nothing was done in the last minute, as if one job had been.
 */
export function backlogSeconds({ backlog, completionsPerSecond }: QueueLoad): number {
  return backlog / Math.max(completionsPerSecond ?? 0, slowest);
}

/**
 * How many workers there should be so that the backlog is gone in `targetSeconds`: as many times more than there are as it takes
 * longer than that, rounded up. It is how Kubernetes scales by a metric, too. Each worker does its share, so a database that
 * is busy already makes this grow in vain: bound it. One at least; a paused queue wants no more than that.
 *
 * @returns null when it is not known how many there are
 */
export function desiredWorkers(load: QueueLoad, targetSeconds: number): number | null {
  if (load.workers === null) return null;
  if (load.isPaused) return 1;
  return Math.max(1, Math.ceil(load.workers * (backlogSeconds(load) / targetSeconds)));
}
