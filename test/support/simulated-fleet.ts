import { remember } from '../../console/server/queues/queue-watch.ts';
import { toRates } from '../../console/server/queues/rates.ts';
import { backlogOf, backlogSeconds, minWorkers } from '../../console/server/queues/scaling.ts';
import { createAutoscaler, type ScalerSettings, type Sight } from './autoscaler.ts';

/** A second of the simulation. */
export interface Moment {
  at: number;
  replicas: number;
  /** jobs */
  backlog: number;
  /** seconds that the oldest job has waited */
  oldestSeconds: number;
}

/** How the simulated pods are. */
export interface PodModel {
  /** jobs a second on one core */
  jobsPerSecond: number;
  /** from the decision to a pod that takes jobs */
  startSeconds: number;
}

interface Reading {
  atMs: number;
  added: number;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

/** The console looks at the queues every five seconds; the metrics server tells CPU as a mean over so many. */
const lookSeconds = 5;
const cpuWindowSeconds = 30;

/**
 * A queue, its workers and what scales them, second by second. The backlog in seconds is measured and computed by the console's own code.
 *
 * @param load jobs that arrive in the second `at`
 */
export function simulateFleet(options: {
  settings: ScalerSettings;
  pods: PodModel;
  seconds: number;
  load: (at: number) => number;
  /** whether PostgreSQL is away: then no pod is ready. @default never */
  isAway?: (at: number) => boolean;
}): Moment[] {
  const { pods, seconds, load, isAway = () => false } = options;
  const decide = createAutoscaler(options.settings);
  const moments: Moment[] = [];
  const arrivals: { at: number; jobs: number }[] = [];
  const busy: number[] = [];
  let history: Reading[] = [];
  let readyAt: number[] = Array.from({ length: options.settings.minReplicas }, () => 0);
  let [added, backlog] = [0, 0];

  for (let at = 0; at < seconds; at += 1) {
    const jobs = load(at);
    arrivals.push({ at, jobs });
    added += jobs;
    backlog += jobs;

    const ready = isAway(at) ? 0 : readyAt.filter((from) => from <= at).length;
    const done = Math.min(backlog, ready * pods.jobsPerSecond);
    backlog -= done;
    settle(arrivals, done);
    busy.push(ready === 0 ? Number.NaN : (100 * done) / (ready * pods.jobsPerSecond));

    const reading = { atMs: at * 1_000, added, waiting: backlog, active: 0, delayed: 0, failed: 0 };
    if (at % lookSeconds === 0) history = remember(history, reading);
    const replicas = decide(at, {
      ...lookAt(history, reading),
      replicas: readyAt.length,
      readyReplicas: ready,
      cpu: mean(busy.slice(-cpuWindowSeconds)),
    });
    // Those that are not ready yet, and the youngest, go first.
    if (replicas < readyAt.length) readyAt = readyAt.slice(0, replicas);
    while (readyAt.length < replicas) readyAt.push(at + pods.startSeconds);

    moments.push({ at, replicas, backlog, oldestSeconds: backlog > 0 ? at - (arrivals[0]?.at ?? at) : 0 });
  }
  return moments;
}

/** The oldest jobs are done first. */
function settle(arrivals: { jobs: number }[], done: number): void {
  let left = done;
  for (let first = arrivals[0]; first !== undefined; first = arrivals[0]) {
    const taken = Math.min(first.jobs, left);
    first.jobs -= taken;
    left -= taken;
    // Fractions of jobs do not add up to the last digit.
    if (first.jobs > 1e-6) return;
    arrivals.shift();
  }
}

/** What the console answers. */
function lookAt(history: readonly Reading[], now: Reading): Pick<Sight, 'backlogSeconds' | 'isActive'> {
  const [first] = history;
  const elapsedMs = now.atMs - (first?.atMs ?? now.atMs);
  const rates = first === undefined || elapsedMs === 0 ? null : toRates(first, now, elapsedMs);
  const backlog = backlogOf(now);
  if (rates === null && backlog > 0) return { backlogSeconds: null, isActive: null };
  const completionsPerSecond = rates?.completionsPerSecond ?? null;
  return {
    backlogSeconds: backlogSeconds({ backlog, completionsPerSecond, isPaused: false, workers: null }),
    isActive: minWorkers({ ...now, isPaused: false, isPartial: false, rates }) > 0,
  };
}

function mean(values: readonly number[]): number | null {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
