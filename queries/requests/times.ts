import { Prisma } from '../../shared/platform/postgres/database.ts';
import { isTooFewForPercentile } from '../executions/estimates.ts';
import {
  type PercentileColumns,
  type Percentiles,
  percentileShares,
  percentilesFrom,
  toPercentiles,
} from '../executions/percentiles.ts';

/** How long requests took, in ms. Failed ones are apart: a few timeouts would else make up the whole tail. */
export interface RequestTimes {
  /** from the start to the end */
  latencyMs: { completed: Percentiles; failed: Percentiles };
  /** from the start to the first token, of completed requests whose sender tells */
  firstTokenMs: Percentiles;
}

/** Percentiles in a bucket of time, without intervals; null without a request. */
export interface ShortPercentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
  rows: number;
  /** those that are based on too few rows */
  tooFew: (keyof typeof percentileShares)[];
}

/** What a time is: from the start of a request to its end, or to its first token. */
type Kind = 'latency' | 'first_token';

type Row = PercentileColumns & { kind: Kind; rows: number };

/** Percentiles as a statement returns them. */
export interface TimeRows {
  times: (Row & { ok: boolean })[];
  /** of completed requests; the beginning of the bucket as in the JSON */
  bucketTimes: (Row & { bucket: string })[];
  /** with groups: by their place in the order */
  groupTimes?: (Row & { ok: boolean; place: number })[];
}

/**
 * The CTE `time_counts` over `request_row`: times in bins 5 % wide, by bucket; with groups, `group_time_counts` has them by listed group.
 * What ends before it starts has no time. Below 20 ms, each whole ms has a bin of its own.
 */
export function timesOfRows({ withGroups }: { withGroups: boolean }): Prisma.Sql {
  const byBucket = binned('time_counts', 'bucket', 'request_row');
  if (!withGroups) return byBucket;
  const place = `case when request_row.key is null then (select place from listed where raw is null) else listed.place end`;
  return Prisma.sql`${byBucket},
    ${binned('group_time_counts', place, 'request_row left join listed on listed.raw = request_row.key', 'place')}`;
}

function binned(name: string, part: string, rows: string, column = part): Prisma.Sql {
  const timed = (kind: Kind): string =>
    `select '${kind}' as kind, ${part} as ${column}, state = 'completed' as ok, ${kind} as ms from ${rows} where ${kind} >= 0`;
  return Prisma.raw(`${name} as materialized (
    select kind, ${column}, ok, case when ms >= 1 then floor(ln(ms) * 20)::int + 1 else 0 end as bin, count(*)::float8 as n,
      1::float8 as weight, sum(ms) as duration_sum, min(ms) as duration_min, max(ms) as duration_max
    from (${timed('latency')} union all ${timed('first_token')}) as timed group by 1, 2, 3, 4)`);
}

/** The columns `times` and `bucketTimes`. */
export const percentilesByTime = Prisma.sql`
  ${list(percentilesFrom('time_counts', { kind: 'kind', ok: 'ok' }, { where: 'true', intervals: true }))} as times,
  ${list(percentilesFrom('time_counts', { kind: 'kind', bucket: 'bucket' }, { where: 'ok and bucket is not null', intervals: false }))}
    as "bucketTimes"`;

/** The column `groupTimes`. */
export const percentilesByGroup = Prisma.sql`${list(
  percentilesFrom(
    'group_time_counts',
    { kind: 'kind', place: 'place', ok: 'ok' },
    { where: 'place is not null', intervals: true },
  ),
)} as "groupTimes"`;

function list(query: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(select coalesce(json_agg(part), '[]') from (${query}) as part)`;
}

export function toTimes(rows: readonly (Row & { ok: boolean })[]): RequestTimes {
  const of = (kind: Kind, ok: boolean): Percentiles =>
    toPercentiles(rows.find((row) => row.kind === kind && row.ok === ok));
  return {
    latencyMs: { completed: of('latency', true), failed: of('latency', false) },
    firstTokenMs: of('first_token', true),
  };
}

/** The percentiles of each bucket, by its beginning in ms since 1970. */
export function toBucketTimes(
  rows: TimeRows['bucketTimes'],
): Map<number, { latencyMs: ShortPercentiles; firstTokenMs: ShortPercentiles }> {
  const byBucket = Map.groupBy(rows, ({ bucket }) => Date.parse(bucket));
  return new Map(
    [...byBucket].map(([ms, mine]) => [
      ms,
      {
        latencyMs: toShort(mine.find(({ kind }) => kind === 'latency')),
        firstTokenMs: toShort(mine.find(({ kind }) => kind === 'first_token')),
      },
    ]),
  );
}

export function toShort(row: Row | undefined): ShortPercentiles {
  const rows = row?.rows ?? 0;
  return {
    p50: row?.p50 ?? null,
    p95: row?.p95 ?? null,
    p99: row?.p99 ?? null,
    rows,
    tooFew: Object.entries(percentileShares).flatMap(([name, share]) =>
      isTooFewForPercentile(rows, share) ? [name as keyof typeof percentileShares] : [],
    ),
  };
}
