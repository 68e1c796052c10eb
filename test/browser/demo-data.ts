import { generateEvents } from '../../demo/executions/events.ts';
import { createScoringService } from '../../demo/executions/scoring-service.ts';
import { demoStrategies } from '../../demo/executions/strategies.ts';
import { createRandom } from '../../demo/random.ts';
import { toExecutionRecord } from '../../producers/executions/execution-record.ts';
import type { Execution } from '../../producers/index.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { insertExecutions } from '../../workers/execution-log/store.ts';

const sampleRate = 0.25;
const hourMs = 3_600_000;
const bounds = { sampleRate, traceLimit: 200, maxBytes: 65_536 };

/** Of every run this one is slow, as if it had waited for its database. */
const slowEvery = 60;

/**
 * Runs of the demo's scoring service over the last 23 hours, as its observer and a worker would have stored them, but for
 * their times: recorded as if they had come then, and taking as long as a service takes that asks a database.
 *
 * @returns how many rows there are
 */
export async function storeDemoRuns(database: Database, events: number): Promise<number> {
  const random = createRandom(11);
  const nowMs = Date.now();
  const records: string[] = [];
  let run = 0;
  const take = (execution: Execution): void => {
    run += 1;
    const isKept = execution.status !== 'ok' || random() < sampleRate;
    if (!isKept) return;
    const atMs = nowMs - 23 * hourMs * (1 - run / events);
    const durationMs = Math.exp(1.5 + 1.1 * (random() + random() + random() - 1.5)) * (run % slowEvery === 0 ? 45 : 1);
    const { json } = toExecutionRecord({ ...execution, durationMs, recordedAt: new Date(atMs) }, { ...bounds, nowMs });
    records.push(json);
  };
  const score = createScoringService({
    observer: { record: take },
    strategies: demoStrategies,
    realms: ['acme', 'borealis'],
  });
  for (const event of generateEvents({ count: events, seed: 7, strategies: demoStrategies })) score(event);
  await insertExecutions(database, `[${records.join(',')}]`, records.length);
  return records.length;
}

/** The strategy that the demo runs most often. */
export const busiest = demoStrategies[0]?.id ?? '';
export const second = demoStrategies[1]?.id ?? '';
