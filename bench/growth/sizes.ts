import { say } from '../../dev/steps.ts';
import { listExecutions } from '../../queries/executions/list.ts';
import { readStrategy } from '../../queries/executions/strategy.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import type { SluiceContender } from '../contenders/sluice.ts';
import { type ContenderResult, measureRun, type Run, summarise, warmUpShare } from '../rounds.ts';
import { createRows } from '../rows.ts';
import { median } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';
import type { Day, Days } from './today.ts';

/** Today's partition with so many rows. */
export interface SizeResult {
  rows: number;
  /** of the partition before it was measured, in bytes */
  bytes: number;
  today: ContenderResult;
  /** the same rows in an empty partition, in turns with today's, so that other activity on the machine affects both */
  beside: ContenderResult;
  /** of one strategy with 50,000 rows of today; null if there are none */
  reads: Reads | null;
}

/** Medians, in ms. */
interface Reads {
  newestFailuresMs: number;
  dayMs: number;
}

const rounds = 3;
const runRows = 30_000;
const repetitions = 11;
const timeoutMs = 60_000;

export async function measureSize(
  testbed: Testbed,
  fleet: SluiceContender,
  { today, yesterday }: Days,
  { rows, strategyId }: { rows: number; strategyId: string | null },
): Promise<SizeResult> {
  const bytes = await today.bytes();
  const reads = strategyId === null ? null : await measureReads(testbed, strategyId);
  const measure = (day: Day, share: number): Promise<Run> => {
    const count = Math.ceil(runRows * share);
    const fresh = createRows(count, testbed.config.producer, day.nowMs());
    return measureRun({ cpu: testbed.cpu, target: day, contender: fleet }, fresh, count);
  };
  await measure(yesterday, warmUpShare);
  await measure(today, warmUpShare);
  const runs: { today: Run[]; beside: Run[] } = { today: [], beside: [] };
  for (let round = 1; round <= rounds; round += 1) {
    // Each goes first in turn: what a run leaves behind, the next one meets.
    const inTurn = round % 2 === 1 ? (['beside', 'today'] as const) : (['today', 'beside'] as const);
    for (const which of inTurn) {
      const run = await measure(which === 'today' ? today : yesterday, 1);
      runs[which].push(run);
      const where = which === 'today' ? "today's partition" : 'an empty partition';
      say(`round ${round} of ${rounds}: into ${where}: ${Math.round(run.rowsPerSecond)} rows/s`);
    }
  }
  const name = `after ${rows.toLocaleString('en')} rows`;
  return {
    rows,
    bytes,
    today: summarise(name, runs.today),
    beside: summarise('  beside it, into an empty partition', runs.beside),
    reads,
  };
}

/** What the console asks about one strategy. Asked once before, so that pages and plans are warm. */
async function measureReads(testbed: Testbed, strategyId: string): Promise<Reads> {
  const database = createDatabase(testbed.config.database, 'sluice bench reads');
  try {
    const until = new Date();
    const since = new Date(until.getTime() - 86_400_000);
    const list = { strategyId, window: { since: null, until }, filter: { status: 'failed' as const }, limit: 50 };
    const reads = {
      newestFailuresMs: await medianMs(() => listExecutions(database, list)),
      dayMs: await medianMs(() => readStrategy(database, { strategyId, window: { since, until }, timeoutMs })),
    };
    say(
      `newest 50 failures: ${reads.newestFailuresMs.toFixed(1)} ms, everything about 24 hours: ${reads.dayMs.toFixed(1)} ms`,
    );
    return reads;
  } finally {
    await database.$disconnect();
  }
}

async function medianMs(ask: () => Promise<unknown>): Promise<number> {
  await ask();
  const times: number[] = [];
  for (let time = 0; time < repetitions; time += 1) {
    const from = performance.now();
    await ask();
    times.push(performance.now() - from);
  }
  return median(times);
}
