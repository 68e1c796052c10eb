import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../dev/steps.ts';
import type { SluiceContender } from './contenders/sluice.ts';
import type { Rows } from './rows.ts';
import { type Latency, toLatency } from './statistics.ts';
import type { Testbed } from './testbed.ts';

/** From record() until the row is visible to another session; its samples are rows. */
export interface LatencyResult extends Latency {
  /** the load, steady */
  rowsPerSecond: number;
}

const lastsMs = 6_000;
const patienceMs = 30_000;
const turnMs = 5;
/** One row in this many turns is watched. */
const turnsPerProbe = 2;
/** The time between two queries. A row may be seen later than possible by this time and the query's own. */
const lookEveryMs = 2;

interface Probe {
  id: string;
  recordedAt: string;
  recordedAtMs: number;
}

/**
 * Sends rows at a steady rate and searches for some of them by their key until they are visible.
 *
 * @throws Error if a row was lost
 */
export async function measureLatency(
  testbed: Testbed,
  fleet: SluiceContender,
  rows: Rows,
  rowsPerSecond: number,
): Promise<LatencyResult> {
  await testbed.reset();
  const watcher = await testbed.connect('the connection that watches for rows');
  const waiting = new Map<string, Probe>();
  const latenciesMs: number[] = [];
  let sending = true;
  let giveUpAt = Number.POSITIVE_INFINITY;

  const send = async (): Promise<number> => {
    const startedAt = performance.now();
    let sent = 0;
    for (let turn = 0; performance.now() - startedAt < lastsMs && sent < rows.count; turn += 1) {
      const due = Math.min(rows.count, Math.floor(((performance.now() - startedAt) / 1_000) * rowsPerSecond));
      if (turn % turnsPerProbe === 0 && sent < due) watch(sent);
      for (; sent < due; sent += 1) fleet.observer.record(rows.execution(sent));
      await sleep(turnMs);
    }
    sending = false;
    giveUpAt = performance.now() + patienceMs;
    return sent;
  };

  const watch = (index: number): void => {
    const { id, recordedAt } = rows.record(index);
    waiting.set(id, { id, recordedAt, recordedAtMs: performance.now() });
  };

  const look = async (): Promise<void> => {
    while (sending || waiting.size > 0) {
      if (performance.now() > giveUpAt) throw new Error(`latency: ${waiting.size} rows did not become visible`);
      const probes = [...waiting.values()];
      const { rows: found } = await watcher.query<{ id: string }>({
        name: 'look',
        text: 'select id from strategy_execution_log where id = any($1::uuid[]) and recorded_at = any($2::timestamptz[])',
        values: [probes.map(({ id }) => id), probes.map(({ recordedAt }) => recordedAt)],
      });
      const seenAt = performance.now();
      for (const { id } of found) {
        const probe = waiting.get(id);
        if (probe === undefined) continue;
        latenciesMs.push(seenAt - probe.recordedAtMs);
        waiting.delete(id);
      }
      await sleep(lookEveryMs);
    }
  };

  const [sent] = await Promise.all([send(), look()]);
  await fleet.settle();
  const stored = await testbed.countRows();
  if (stored !== sent) throw new Error(`latency: ${sent} rows were recorded, ${stored} are stored`);
  say(`latency: ${latenciesMs.length} rows watched at ${Math.round(rowsPerSecond)} rows/s`);
  return { rowsPerSecond, ...toLatency(latenciesMs) };
}
