import { type ExecutionStatus, executionStatuses } from '../../shared/contracts/execution.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';
import { type Buckets, windowOfBucket } from './buckets.ts';
import { isTooFewForPercentile, type Tally } from './estimates.ts';
import type { Part } from './parts.ts';
import { percentileShares, percentilesFrom } from './percentiles.ts';
import type { ExecutionWindow } from './window.ts';

/** A bucket of time. Buckets without runs are included. */
export interface SeriesBucket extends ExecutionWindow {
  statuses: Record<ExecutionStatus, Tally>;
  /** ms, of ok runs; null if there is none */
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** stored rows behind the percentiles */
  durationRows: number;
  /** percentiles that are based on too few rows */
  tooFew: (keyof typeof percentileShares)[];
}

export interface Series {
  bucketMs: number;
  buckets: SeriesBucket[];
}

interface SeriesRow {
  /** its beginning, as in the JSON */
  bucket: string;
  statuses: (Tally & { status: ExecutionStatus })[];
  rows: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export function seriesPart(buckets: Buckets, window: ExecutionWindow): Part<SeriesRow, Series> {
  return {
    needsOutcomeCounts: false,
    query: Prisma.sql`select bucket, statuses, rows, p50, p95, p99 from (
        select bucket, json_agg(json_build_object('status', status, 'rows', rows, 'runs', runs)) as statuses
        from (select bucket, status, sum(n) as rows, sum(n * weight) as runs from duration_counts group by 1, 2) as counts group by 1
      ) as counted
      left join (${percentilesFrom('duration_counts', { bucket: 'bucket' }, { where: `status = 'ok'`, intervals: false })}) as timed using (bucket)`,
    read: (rows) => toSeries(rows, buckets, window),
  };
}

function toSeries(rows: readonly SeriesRow[], buckets: Buckets, window: ExecutionWindow): Series {
  const rowOf = new Map(rows.map((row) => [Date.parse(row.bucket), row]));
  return {
    bucketMs: buckets.bucketMs,
    buckets: Array.from({ length: buckets.count }, (_, index) => ({
      ...windowOfBucket(buckets, window, index),
      ...toBucket(rowOf.get(buckets.firstMs + index * buckets.bucketMs)),
    })),
  };
}

function toBucket(row: SeriesRow | undefined): Omit<SeriesBucket, keyof ExecutionWindow> {
  const tallyOf = (of: ExecutionStatus): Tally => {
    const { rows = 0, runs = 0 } = row?.statuses.find(({ status }) => status === of) ?? {};
    return { rows, runs };
  };
  const durationRows = row?.rows ?? 0;
  return {
    statuses: Object.fromEntries(executionStatuses.map((status) => [status, tallyOf(status)])) as Record<
      ExecutionStatus,
      Tally
    >,
    p50: row?.p50 ?? null,
    p95: row?.p95 ?? null,
    p99: row?.p99 ?? null,
    durationRows,
    tooFew: Object.entries(percentileShares).flatMap(([name, share]) =>
      isTooFewForPercentile(durationRows, share) ? [name as keyof typeof percentileShares] : [],
    ),
  };
}
