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

/** Delayed jobs do not count: they wait for their time, not for a worker. */
export function backlogOf({ waiting, active }: { waiting: number; active: number }): number {
  return waiting + active;
}

/**
 * The minimum number of workers: 1 while jobs of the queue are unfinished, or jobs arrived in the last minute. An autoscaler that
 * scales to zero follows this number and not the backlog: where workers keep up, the backlog is 0 nearly whenever it is read. And
 * the backlog does not count delayed jobs, which need a worker once their time has come. Also 1 while a part of the queue cannot be
 * read, because jobs may be there.
 */
export function minWorkers(queue: {
  waiting: number;
  active: number;
  delayed: number;
  isPaused: boolean;
  isPartial: boolean;
  rates: { arrivalsPerSecond: number } | null;
}): 0 | 1 {
  const { waiting, active, delayed, isPaused, isPartial, rates } = queue;
  if (isPaused) return 0;
  return isPartial || waiting + active + delayed + (rates?.arrivalsPerSecond ?? 0) > 0 ? 1 : 0;
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

/**
 * How long the backlog takes, and how many workers are needed, of a queue of which a part may be unreadable. Then nothing is below what
 * keeps the present workers: an autoscaler must not end them because of what nobody can see. It may start more for what can be read.
 */
export function toDemand(
  load: QueueLoad & { isPartial: boolean },
  targetSeconds: number,
): { backlogSeconds: number; desiredWorkers: number | null } {
  const holds = load.isPartial && !load.isPaused;
  if (holds && load.completionsPerSecond === null)
    return { backlogSeconds: targetSeconds, desiredWorkers: load.workers };
  const [seconds, desired] = [backlogSeconds(load), desiredWorkers(load, targetSeconds)];
  return {
    backlogSeconds: holds ? Math.max(seconds, targetSeconds) : seconds,
    desiredWorkers: holds && desired !== null ? Math.max(desired, load.workers ?? 0) : desired,
  };
}
