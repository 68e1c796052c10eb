import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Buckets } from './buckets.ts';
import { type Subject, subjectCondition } from './subject.ts';
import type { ExecutionWindow } from './window.ts';

/** Whose runs, and of which time. */
export interface RunScope extends Subject {
  window: ExecutionWindow;
}

/**
 * The runs of a scope, with the columns that the index `(strategy_id, recorded_at)` has: no row itself is read, except for a
 * realm. `weight` and `duration_bin` are generated columns, which the table computes once, when a row is written.
 */
function runsOf({ window, ...subject }: RunScope): Prisma.Sql {
  return Prisma.sql`sluice.strategy_execution_log
    where ${subjectCondition(subject)} and recorded_at >= ${window.since} and recorded_at < ${window.until}`;
}

/** Fine bins are numbered within the coarse bins of the histogram, so that each lies in one of those. */
const fineBins = 1_000;

/** The bin of the histogram, 0 to 12, that contains a bin of durations. */
export const histogramBin = Prisma.raw(`bin / ${fineBins}`);

/** A larger value is not a score. Such values, infinities and NaN are left out of figures, as they are of `duration_bin`. */
const largest = Prisma.raw('1e15');

/**
 * The CTEs `duration_counts` and `bins`. `duration_counts` has the runs grouped by time bucket (its beginning; null without
 * buckets), status, weight and bin of their duration, which is null if they have none. `bins` has the same without the buckets.
 * All figures of durations and over time are computed from them, so that a million runs are grouped only once.
 */
export function durationCounts(scope: RunScope, buckets: Buckets | null): Prisma.Sql {
  // date_bin adds and divides integers; date_part takes ten times as long.
  const bucket =
    buckets === null
      ? Prisma.raw('null::timestamptz')
      : Prisma.sql`date_bin(${`${buckets.bucketMs} ms`}::interval, recorded_at, ${new Date(buckets.firstMs)})`;
  return Prisma.sql`duration_counts as materialized (
    select ${bucket} as bucket, status, weight, duration_bin as bin, count(*)::float8 as n, sum(duration) as duration_sum,
      min(duration) as duration_min, max(duration) as duration_max
    from (
      select recorded_at, status, weight, duration_bin, case when duration_bin is not null then duration_ms end as duration
      from ${runsOf(scope)}
    ) as run group by 1, 2, 3, 4),
  bins as materialized (
    select status, weight, bin, sum(n) as n,
      sum(duration_sum) as duration_sum, min(duration_min) as duration_min, max(duration_max) as duration_max
    from duration_counts group by 1, 2, 3)`;
}

/**
 * The CTEs `outcome_counts` and `points_range`. `outcome_counts` has the runs grouped by status, weight, outcome and points,
 * which are null if the run is not ok or has no numeric score; `points_range` has the lowest and the highest points. Most
 * scores are a few different numbers.
 */
export function outcomeCounts(scope: RunScope): Prisma.Sql {
  return Prisma.sql`outcome_counts as materialized (
    select status, weight, outcome, case when status = 'ok' and abs(points) < ${largest} then points end as points,
      n, nodes_sum, nodes_max
    from (
      select status, weight, outcome, points, count(*)::float8 as n, sum(nodes_executed)::float8 as nodes_sum,
        max(nodes_executed) as nodes_max
      from ${runsOf(scope)} group by 1, 2, 3, 4
    ) as tallied),
  points_range as materialized (select min(points) as low, max(points) as high from outcome_counts)`;
}
