import { type ExecutionStatus, executionStatuses } from '../../shared/contracts/execution.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';
import { type Estimate, isTooFew, type Mean, ratio, type Tally, toFailureRate, toMean } from './estimates.ts';
import type { Part } from './parts.ts';

/** The runs of one status, with their durations and nodes. Means are weighted; null if there is no usable value. */
export interface StatusFigures extends Tally {
  /** ms */
  durationMs: Mean & { min: number | null; max: number | null };
  /** rows whose duration is NaN, infinite or beyond ±1e15: counted, and left out of `durationMs` */
  rowsWithoutDuration: number;
  nodes: { mean: number | null; max: number | null; tooFew: boolean };
}

/** The points of ok runs. `runs` and `rows` count those with points. */
export interface PointsFigures extends Tally, Mean {
  /** estimated, of all runs */
  sum: number;
  min: number | null;
  max: number | null;
}

/** How runs ended. */
export interface StatusSummary {
  /** each of the five statuses, including those without runs */
  statuses: Record<ExecutionStatus, StatusFigures>;
  total: Tally;
  failed: Tally;
  /** the share of runs that were not ok */
  failureRate: Estimate;
  points: PointsFigures;
}

interface StatusRow extends Tally {
  status: ExecutionStatus;
  variance: number;
  duration_rows: number;
  duration_runs: number | null;
  duration_mean: number | null;
  duration_w2: number | null;
  duration_w2x: number | null;
  duration_w2xx: number | null;
  duration_min: number | null;
  duration_max: number | null;
  nodes_mean: number;
  nodes_max: number;
  points_rows: number;
  points_runs: number;
  points_sum: number | null;
  points_w2: number | null;
  points_w2x: number | null;
  points_w2xx: number | null;
  points_min: number | null;
  points_max: number | null;
}

export const statusPart: Part<StatusRow, StatusSummary> = {
  needsOutcomeCounts: true,
  query: Prisma.sql`select * from (
      select status, sum(n) as rows, sum(n * weight) as runs, sum(n * weight * (weight - 1)) as variance,
        coalesce(sum(n) filter (where bin is not null), 0) as duration_rows,
        sum(n * weight) filter (where bin is not null) as duration_runs,
        sum(duration_sum * weight) / sum(n * weight) filter (where bin is not null) as duration_mean,
        sum(n * weight ^ 2) filter (where bin is not null) as duration_w2, sum(duration_sum * weight ^ 2) as duration_w2x,
        sum(duration_sum ^ 2 / n * weight ^ 2) as duration_w2xx,
        min(duration_min) as duration_min, max(duration_max) as duration_max
      from bins group by status
    ) as timed join (
      select status, sum(nodes_sum * weight) / sum(n * weight) as nodes_mean, max(nodes_max) as nodes_max,
        coalesce(sum(n) filter (where points is not null), 0) as points_rows,
        coalesce(sum(n * weight) filter (where points is not null), 0) as points_runs,
        sum(points * n * weight) as points_sum,
        sum(n * weight ^ 2) filter (where points is not null) as points_w2, sum(points * n * weight ^ 2) as points_w2x,
        sum(points ^ 2 * n * weight ^ 2) as points_w2xx,
        min(points) as points_min, max(points) as points_max
      from outcome_counts group by status
    ) as scored using (status)`,
  read: toStatusSummary,
};

function toStatusSummary(rows: readonly StatusRow[]): StatusSummary {
  const rowOf = new Map(rows.map((row) => [row.status, row]));
  const statuses = Object.fromEntries(
    executionStatuses.map((status) => [status, toFigures(rowOf.get(status))]),
  ) as Record<ExecutionStatus, StatusFigures>;
  const { ok, ...failures } = statuses;
  const failed = addTallies(Object.values(failures));
  const variance = rowOf.get('ok')?.variance ?? 0;
  return {
    statuses,
    total: addTallies([ok, failed]),
    failed,
    failureRate: toFailureRate({ rows: ok.rows, runs: ok.runs, variance }, failed),
    points: toPoints(rowOf.get('ok')),
  };
}

function toFigures(row: StatusRow | undefined): StatusFigures {
  return {
    rows: row?.rows ?? 0,
    runs: row?.runs ?? 0,
    durationMs: {
      ...toMean({
        mean: row?.duration_mean ?? null,
        rows: row?.duration_rows ?? 0,
        runs: row?.duration_runs ?? 0,
        w2: row?.duration_w2 ?? 0,
        w2x: row?.duration_w2x ?? 0,
        w2xx: row?.duration_w2xx ?? 0,
      }),
      min: row?.duration_min ?? null,
      max: row?.duration_max ?? null,
    },
    rowsWithoutDuration: row === undefined ? 0 : row.rows - row.duration_rows,
    nodes: { mean: row?.nodes_mean ?? null, max: row?.nodes_max ?? null, tooFew: isTooFew(row?.rows ?? 0) },
  };
}

function toPoints(row: StatusRow | undefined): PointsFigures {
  const { points_rows: rows = 0, points_runs: runs = 0, points_sum } = row ?? {};
  const sum = points_sum ?? 0;
  const [w2, w2x, w2xx] = [row?.points_w2 ?? 0, row?.points_w2x ?? 0, row?.points_w2xx ?? 0];
  const mean = toMean({ mean: ratio(sum, runs), rows, runs, w2, w2x, w2xx });
  return { rows, runs, sum, ...mean, min: row?.points_min ?? null, max: row?.points_max ?? null };
}

/** The sum of several tallies. */
export function addTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce((sum, { rows, runs }) => ({ rows: sum.rows + rows, runs: sum.runs + runs }), {
    rows: 0,
    runs: 0,
  });
}
