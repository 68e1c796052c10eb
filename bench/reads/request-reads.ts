import { say } from '../../dev/steps.ts';
import { listRequests } from '../../queries/requests/list-requests.ts';
import { searchRequests } from '../../queries/requests/search-requests.ts';
import { type RequestStatsQuestion, readRequestStats } from '../../queries/requests/stats.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { median } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';
import { fillRequests } from './requests-table.ts';

/** One question about requests. */
export interface RequestReadResult {
  question: string;
  /** ms of each repetition */
  ms: number[];
  medianMs: number;
}

export interface RequestReadsResult {
  rows: number;
  tableBytes: number;
  indexBytes: number;
  day: RequestReadResult;
  everything: RequestReadResult;
  /** by the other dimensions, what failed last, and a page of a search */
  others: RequestReadResult[];
}

const timeoutMs = 120_000;

/** Fills the tables of requests once, and asks what the console asks. */
export async function measureRequestReads(
  testbed: Testbed,
  database: Database,
  rows: number,
): Promise<RequestReadsResult> {
  const table = await fillRequests(testbed, rows);
  say(`${table.rows} requests, ${Math.round(table.bytes / 1_048_576)} MiB`);
  const { until, dayAgo } = table;
  const stats = (since: Date | null, question: Omit<RequestStatsQuestion, 'window'>) => () =>
    readRequestStats(database, { window: { since, until }, timeoutMs, ...question });
  const ofDay = (question: Omit<RequestStatsQuestion, 'window'>) => stats(dayAgo, question);
  return {
    rows: table.rows,
    tableBytes: table.bytes,
    indexBytes: table.indexBytes,
    day: await ask('everything about 24 hours of requests', 15, ofDay({})),
    everything: await ask('everything about all requests', 7, stats(null, {})),
    others: [
      await ask('24 hours, by model', 15, ofDay({ by: 'model' })),
      await ask('24 hours, the creators that cost most', 15, ofDay({ by: 'createdBy', sort: 'cost' })),
      await ask('24 hours, by endpoint', 15, ofDay({ by: 'endpoint' })),
      await ask('24 hours of one creator', 15, ofDay({ subject: { createdBy: 'user-7' } })),
      await ask('all, by model', 5, stats(null, { by: 'model' })),
      await ask('newest 50 failures of requests', 31, () =>
        listRequests(database, { filter: { state: 'failed' }, limit: 50 }),
      ),
      await ask('a page of a search that finds nothing', 7, () =>
        searchRequests(database, { text: 'no such text', limit: 50, timeoutMs }),
      ),
    ],
  };
}

/** Asks repeatedly, and once before that, so that pages and plans are warm. */
async function ask(question: string, times: number, work: () => Promise<unknown>): Promise<RequestReadResult> {
  const ms: number[] = [];
  await work();
  for (let time = 0; time < times; time += 1) {
    const from = performance.now();
    await work();
    ms.push(performance.now() - from);
  }
  const result = { question, ms, medianMs: median(ms) };
  say(`${question}: ${result.medianMs.toFixed(1)} ms`);
  return result;
}
