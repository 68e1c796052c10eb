import { executionStatuses } from '../../../shared/contracts/execution.ts';
import { Prisma } from '../../../shared/database.ts';
import type { Buckets } from './buckets.ts';
import { durationEdgesMs } from './histograms.ts';
import { isOf, type Subject } from './subject.ts';
import type { ExecutionWindow } from './window.ts';

/** Whose runs, and of what time. */
export interface RunScope extends Subject {
  window: ExecutionWindow;
}

/**
 * How many runs a row stands for. At most a million: a smaller sample rate than that is a mistake, and its square would
 * break every answer that it is in.
 */
export const maxWeight = 1_000_000;
export const weight = Prisma.raw(`case when sampled then 1 / greatest(sample_rate, ${1 / maxWeight}) else 1 end`);

/** What is larger is no duration and no score. Such values, infinities and NaN are left out of figures. */
const largest = Prisma.raw('1e15');

/** A status as a number, its place in `executionStatuses`: what is grouped a million times is grouped by small things. */
export const okCode = executionStatuses.indexOf('ok');
const statusCode = Prisma.raw(
  `case status ${executionStatuses.map((status, code) => `when '${status}' then ${code}`).join(' ')} end`,
);

/** The runs of a scope, of the columns that the index `(strategy_id, recorded_at)` has: no row itself is read, but for a realm. */
function runsOf({ window, ...subject }: RunScope): Prisma.Sql {
  return Prisma.sql`select recorded_at, ${statusCode} as status, outcome, ${weight} as weight, nodes_executed as nodes, points,
      case when abs(duration_ms) < ${largest} then duration_ms end as duration
    from strategy_execution_log
    where ${isOf(subject)} and recorded_at >= ${window.since} and recorded_at < ${window.until}`;
}

/** In descending order with the sign turned round: so that an edge belongs to the bin below it. */
const turnedEdges = `array[${durationEdgesMs
  .map((edge) => -edge)
  .toReversed()
  .join(', ')}]::float8[]`;

/** Fine bins are numbered within the coarse ones of the histogram, so that each lies in one of those. */
const fineBins = 100_000;

/**
 * The number of a duration's bin. Twenty to a factor of e: the highest value of a bin is 5 % above its lowest. Zero and less
 * are one bin, and NaN is none.
 */
const binOfDuration = Prisma.raw(`(${durationEdgesMs.length} - width_bucket(-duration, ${turnedEdges})) * ${fineBins}
      + case when duration > 0 then floor(ln(duration) * 20)::int + ${fineBins / 2} else 0 end`);

/** The bin of the histogram that a bin of durations lies in. */
export const histogramBin = Prisma.raw(`bin / ${fineBins}`);

/**
 * The common tables `cube` and `bins`: the runs grouped by bucket of time (0 without buckets), status, weight and bin of their duration,
 * which is null where that is no number, and the same without the buckets. What is asked of durations and over time is computed
 * from them, so that a million runs are grouped once.
 */
export function cubeOf(scope: RunScope, buckets: Buckets | null): Prisma.Sql {
  const bucket =
    buckets === null
      ? Prisma.raw('0')
      : Prisma.raw(
          `floor((date_part('epoch', recorded_at) - ${buckets.firstMs / 1_000}) / ${buckets.bucketMs / 1_000})::int`,
        );
  return Prisma.sql`cube as materialized (
    select ${bucket} as bucket, status, weight, ${binOfDuration} as bin, count(*)::float8 as n,
      sum(duration) as duration_sum, min(duration) as duration_min, max(duration) as duration_max
    from (${runsOf(scope)}) as run group by 1, 2, 3, 4),
  bins as materialized (
    select status, weight, bin, sum(n) as n,
      sum(duration_sum) as duration_sum, min(duration_min) as duration_min, max(duration_max) as duration_max
    from cube group by 1, 2, 3)`;
}

/**
 * The common tables `tallies` and `points_range`: the runs grouped by status, weight, outcome and points, which are null where
 * the run is not ok or scored no number, and the lowest and the highest points. Scores are mostly few different numbers.
 */
export function talliesOf(scope: RunScope): Prisma.Sql {
  return Prisma.sql`tallies as materialized (
    select status, weight, outcome, case when status = ${Prisma.raw(String(okCode))} and abs(points) < ${largest} then points end as points,
      n, nodes_sum, nodes_max
    from (
      select status, weight, outcome, points, count(*)::float8 as n, sum(nodes)::float8 as nodes_sum, max(nodes) as nodes_max
      from (${runsOf(scope)}) as run group by 1, 2, 3, 4
    ) as tallied),
  points_range as materialized (select min(points) as low, max(points) as high from tallies)`;
}
