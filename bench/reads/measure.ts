import { say } from '../../dev/steps.ts';
import { listExecutions } from '../../queries/executions/list.ts';
import { readStrategy } from '../../queries/executions/strategy.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { median } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';
import { type FilledTable, fillTable } from './executions-table.ts';
import { originalAnswer, originalList } from './original.ts';
import { explainReads, type PlanResult } from './plans.ts';
import { measureRequestReads, type RequestReadsResult } from './request-reads.ts';

/** One question, asked of Sluice and in the original's way. */
export interface ReadResult {
  question: string;
  /** ms of each repetition */
  sluiceMs: number[];
  originalMs: number[];
  medianMs: number;
  originalMedianMs: number;
}

export interface ReadsResult {
  rows: number;
  tableBytes: number;
  indexBytes: number;
  failures: ReadResult;
  day: ReadResult;
  everything: ReadResult;
  plans: PlanResult[];
  requests: RequestReadsResult;
}

const timeoutMs = 60_000;

/** Fills the table once, and asks alternately what the console asks and what the original does. */
export async function measureReads(testbed: Testbed, rows: number): Promise<ReadsResult> {
  const table = await fillTable(testbed, rows);
  say(`${table.rows} rows of one strategy, ${Math.round(table.bytes / 1_048_576)} MiB`);
  const database = createDatabase(testbed.config.database, 'sluice bench reads');
  testbed.onClose('the console of the bench', () => database.$disconnect());
  const { strategyId, until, dayAgo } = table;
  const answer = (since: Date | null) => () =>
    readStrategy(database, { strategyId, window: { since, until }, timeoutMs });
  return {
    rows: table.rows,
    tableBytes: table.bytes,
    indexBytes: table.indexBytes,
    failures: await ask('newest 50 failures', 31, table, {
      sluice: () =>
        listExecutions(database, {
          strategyId,
          window: { since: null, until },
          filter: { status: 'failed' },
          limit: 50,
        }),
      original: originalList,
    }),
    day: await ask('everything about 24 hours', 15, table, {
      sluice: answer(dayAgo),
      original: (filled) => originalAnswer(filled, dayAgo),
    }),
    everything: await ask('everything about all rows', 7, table, {
      sluice: answer(null),
      original: (filled) => originalAnswer(filled, null),
    }),
    plans: await explainReads(database, table),
    requests: await measureRequestReads(testbed, database, rows),
  };
}

interface Ways {
  sluice(): Promise<unknown>;
  original(table: FilledTable): Promise<void>;
}

/** Asks repeatedly, and once before that, so that pages and plans are warm for both. */
async function ask(
  question: string,
  times: number,
  table: FilledTable,
  { sluice, original }: Ways,
): Promise<ReadResult> {
  const sluiceMs: number[] = [];
  const originalMs: number[] = [];
  await original(table);
  await sluice();
  for (let time = 0; time < times; time += 1) {
    sluiceMs.push(await elapsed(sluice));
    originalMs.push(await elapsed(() => original(table)));
  }
  const result = { question, sluiceMs, originalMs, medianMs: median(sluiceMs), originalMedianMs: median(originalMs) };
  say(`${question}: ${result.medianMs.toFixed(1)} ms, the original's way ${result.originalMedianMs.toFixed(1)} ms`);
  return result;
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
