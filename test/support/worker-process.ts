import { scrape } from '../../bench/scrape.ts';
import { until } from './fixtures.ts';
import { type SluiceProcess, startSluice } from './fleet.ts';
import { redisEnvironment } from './redis-target.ts';

/** Where a fleet works. */
export interface Place {
  databaseUrl: string;
  redisUrl: string;
  namespace: string;
}

/** A worker in a process of its own, and what it says of itself. */
export interface WorkerProcess extends SluiceProcess {
  /** of its probes */
  url: string;
  /** its log so far, each line parsed */
  log(): { msg: string; [field: string]: unknown }[];
  /** the sum of a metric's samples with these labels, now */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

/** For workers that are not killed: locks that a busy machine renews in time. They are the defaults. */
export const calmLocks = { SLUICE_LOCK_DURATION_MS: '15000', SLUICE_STALLED_INTERVAL_MS: '5000' };

/**
 * Starts a worker process that is killed when its test has finished; resolves when it takes jobs. Its locks are short, so
 * that a killed worker's jobs come back soon: the defaults make for twenty seconds.
 */
export async function startWorkerProcess(
  { databaseUrl, redisUrl, namespace }: Place,
  environment: Record<string, string> = {},
): Promise<WorkerProcess> {
  const worker = await startSluice(['worker', 'execution-log'], {
    DATABASE_URL: databaseUrl,
    ...redisEnvironment(redisUrl),
    SLUICE_NAMESPACE: namespace,
    SLUICE_WORKER_PORT: '0',
    SLUICE_LOCK_DURATION_MS: '1000',
    SLUICE_STALLED_INTERVAL_MS: '500',
    ...environment,
  });
  const log = () => worker.stdout.map((line) => JSON.parse(line) as ReturnType<WorkerProcess['log']>[number]);
  const taking = until(() => worker.stdout.some((line) => line.includes('taking jobs')));
  const ended = await Promise.race([taking.then(() => null), worker.ended]);
  if (ended !== null) throw new Error(`the worker ended (${ended}): ${worker.stderr.join('\n')}`);
  const url = String(log().find(({ msg }) => msg === 'worker is up')?.['url']);
  return {
    ...worker,
    url,
    log,
    metric: (name, labels = {}) => scrape(`${url}/metrics`, name, labels),
  };
}
