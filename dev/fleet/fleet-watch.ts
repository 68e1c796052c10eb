import { pause, withDeadline } from '../../shared/platform/deadline.ts';
import type { FleetWorker } from './fleet.ts';

const everyMs = 1_000;
const answerWithinMs = 3_000;

/** A worker's answers: the reason of /readyz, null if it is ready, and its /metrics. */
export interface WorkerAnswer {
  notReady: string | null;
  metrics: string;
}

/** Why a running worker does not work, for a person at the terminal; null if it works. */
export function notReadyReason({ notReady, metrics }: WorkerAnswer): string | null {
  if (notReady === 'stopping') return null;
  if (notReady?.startsWith('halted'))
    return `has ${notReady}. Run sluice dead-letters list to see why, fix the cause, then restart the fleet`;
  if (notReady !== null) return `waits: ${notReady}`;
  // PostgreSQL answers but refuses every row: a column, a privilege or a password is wrong.
  return /^sluice_database_outage(\{[^}]*\})? 1$/m.test(metrics)
    ? 'waits for PostgreSQL to accept its rows; see its log'
    : null;
}

/**
 * Asks the workers every second, and reports when a running one stops working and when it works again. A state that is seen only
 * once is not reported: on a busy machine an answer may be late.
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
      await pause(everyMs, stopping.signal);
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

/** null if it does not answer: then it is being restarted, and the fleet reports that. */
async function ask({ url, pid }: FleetWorker, token: string | null, stop: AbortSignal): Promise<WorkerAnswer | null> {
  if (url === null || pid === null) return null;
  const asking = async (late: AbortSignal): Promise<WorkerAnswer> => {
    const signal = AbortSignal.any([stop, late]);
    const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers, signal });
    const readiness = await get('/readyz');
    const metrics = await get('/metrics', token === null ? {} : { authorization: `Bearer ${token}` });
    const { reason } = (await readiness.json()) as { reason?: string };
    return { notReady: reason ?? null, metrics: await metrics.text() };
  };
  return withDeadline(answerWithinMs, asking).catch(() => null);
}
