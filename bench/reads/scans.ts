import { cutIntoBuckets } from '../../queries/executions/buckets.ts';
import { toListStatement } from '../../queries/executions/list-statement.ts';
import { durationCounts, outcomeCounts, type RunScope } from '../../queries/executions/runs.ts';
import type { Snapshot } from '../../queries/executions/snapshot.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';

/** How a statement reads the rows of one table. */
export interface Scan {
  /** PostgreSQL's name of the scan: `Index Only Scan` */
  type: string;
  table: string;
  /** rows that it returned */
  rows: number;
  /** rows that it read but did not return */
  removed: number;
  /** index entries whose rows were fetched from the heap anyway */
  heapFetches: number;
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Heap Fetches'?: number;
  Plans?: PlanNode[];
}

/** Runs a statement and reports its scans, by EXPLAIN. Leaves out partitions without rows. */
export async function scansOf(snapshot: Snapshot, statement: Prisma.Sql): Promise<Scan[]> {
  const [row] = await snapshot.$queryRaw<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>(
    Prisma.sql`explain (analyze, timing off, format json) ${statement}`,
  );
  const scans: Scan[] = [];
  const visit = (node: PlanNode): void => {
    const { 'Relation Name': table, 'Actual Loops': loops } = node;
    if (table !== undefined && table !== 'strategy_execution_log_default') {
      scans.push({
        type: node['Node Type'],
        table,
        // For several processes, EXPLAIN reports the mean.
        rows: Math.round(node['Actual Rows'] * loops),
        removed: Math.round((node['Rows Removed by Filter'] ?? 0) * loops),
        heapFetches: node['Heap Fetches'] ?? 0,
      });
    }
    for (const child of node.Plans ?? []) visit(child);
  };
  const plan = row?.['QUERY PLAN'][0].Plan;
  if (plan !== undefined) visit(plan);
  return scans;
}

/** The part of a strategy's answer that reads the table. */
export function toFiguresStatement(scope: RunScope): Prisma.Sql {
  return Prisma.sql`with ${durationCounts(scope, cutIntoBuckets(scope.window))}, ${outcomeCounts(scope)}
    select (select count(*) from bins), (select count(*) from points_range)`;
}

/** The newest failures of a strategy. */
export function toFailuresStatement({ strategyId, window }: RunScope, limit: number): Prisma.Sql {
  return toListStatement(strategyId, { window, filter: { status: 'failed' }, after: null }, limit + 1);
}
