import { inSnapshot } from '../../queries/executions/snapshot.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { FilledTable } from './executions-table.ts';
import { type Scan, scansOf, toFailuresStatement, toFiguresStatement } from './scans.ts';

/** How a question reads its rows in the filled table. */
export interface PlanResult {
  question: string;
  /** the types of scan, each once */
  scans: string[];
  /** how many index entries or rows were read, and how many were returned */
  read: number;
  given: number;
  heapFetches: number;
  /** true: no row was read that the answer does not need, and no table where its index is enough */
  holds: boolean;
}

const listed = 50;
const fewRows = 100_000;

/** Explains the questions of the bench as they run: with the console's settings, on the table as it is. */
export async function explainReads(database: Database, table: FilledTable): Promise<PlanResult[]> {
  const { strategyId, until, dayAgo, dayRows, spanMs, rows } = table;
  const since = new Date(until.getTime() - spanMs);
  // For a day of a few pages, a sequential scan is as good.
  const fits = (type: string): boolean => type === 'Index Only Scan' || (type === 'Seq Scan' && rows < fewRows);
  return inSnapshot(database, async (snapshot) => {
    const scope = (from: Date) => ({ strategyId, window: { since: from, until } });
    const list = await scansOf(snapshot, toFailuresStatement(scope(since), listed));
    const day = await scansOf(snapshot, toFiguresStatement(scope(dayAgo)));
    const everything = await scansOf(snapshot, toFiguresStatement(scope(since)));
    // A page reads one row more than it shows, to know whether another one follows.
    return [
      toResult('newest 50 failures', list, (type, read) => type === 'Index Scan' && read <= 2 * (listed + 1)),
      // The runs are read twice: by time and duration, and by outcome and points.
      toResult('24 hours', day, (type, read) => fits(type) && read === 2 * dayRows),
      toResult('all rows', everything, (type, read) => fits(type) && read === 2 * rows),
    ];
  });
}

function toResult(
  question: string,
  scans: readonly Scan[],
  isRight: (type: string, read: number) => boolean,
): PlanResult {
  const sum = (of: (scan: Scan) => number): number => scans.reduce((total, scan) => total + of(scan), 0);
  const given = sum(({ rows }) => rows);
  const read = given + sum(({ removed }) => removed);
  const heapFetches = sum((scan) => scan.heapFetches);
  return {
    question,
    scans: [...new Set(scans.map(({ type }) => type))],
    read,
    given,
    heapFetches,
    holds: heapFetches === 0 && scans.length > 0 && scans.every(({ type }) => isRight(type, read)),
  };
}
