import { setTimeout as sleep } from 'node:timers/promises';
import { endsWithin } from '../../shared/platform/lifecycle.ts';
import type { FleetWorker } from './fleet.ts';

const everyMs = 1_000;
const answerWithinMs = 3_000;

/** What a worker answers: the reason of /readyz, null when it is ready, and its /metrics. */
export interface WorkerAnswer {
  notReady: string | null;
  metrics: string;
}

/** Why a worker does not work although it runs, for a person in front of the terminal; null when it works. */
export function notReadyReason({ notReady, metrics }: WorkerAnswer): string | null {
  if (notReady === 'stopping') return null;
  if (notReady?.startsWith('halted'))
    return `has ${notReady}. Run sluice dead-letters list to see why, fix the cause, then restart the fleet`;
  if (notReady !== null) return `waits: ${notReady}`;
  // PostgreSQL answers and refuses every row: a column is missing, a right, a password.
  return /^sluice_database_outage(\{[^}]*\})? 1$/m.test(metrics)
    ? 'waits for PostgreSQL to accept its rows; see its log'
    : null;
}

/**
 * Asks the workers every second, and says when one has stopped working although it runs, and when it goes on. What is seen
 * only once is not said: on a busy machine an answer may come late.
 */
export function watchFleet(options: {
  workers: readonly FleetWorker[];
  metricsToken: string | null;
  say: (line: string) => void;
}) {
  const { workers, metricsToken, say } = options;
  const stopping = new AbortController();
  const seen = new Map<FleetWorker, string | null>();
  const said = new Map<FleetWorker, string | null>();

  const look = async (worker: FleetWorker): Promise<void> => {
    const answer = await ask(worker, metricsToken, stopping.signal);
    if (answer === null || stopping.signal.aborted) return;
    const why = notReadyReason(answer);
    const isTwice = seen.get(worker) === why;
    seen.set(worker, why);
    if (!isTwice || (said.get(worker) ?? null) === why) return;
    said.set(worker, why);
    say(`${worker.name} ${why ?? 'is working again'}`);
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await Promise.all(workers.map(look));
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}

/** null when it does not answer: then it is being started again, and the fleet says so. */
async function ask({ url, pid }: FleetWorker, token: string | null, stop: AbortSignal): Promise<WorkerAnswer | null> {
  if (url === null || pid === null) return null;
  const late = new AbortController();
  const signal = AbortSignal.any([stop, late.signal]);
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers, signal });
  const asking = async (): Promise<WorkerAnswer> => {
    const readiness = await get('/readyz');
    const metrics = await get('/metrics', token === null ? {} : { authorization: `Bearer ${token}` });
    const { reason } = (await readiness.json()) as { reason?: string };
    return { notReady: reason ?? null, metrics: await metrics.text() };
  };
  const answer = asking().catch(() => null);
  if (await endsWithin(answer, answerWithinMs)) return answer;
  late.abort();
  return null;
}
