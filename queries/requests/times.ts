import { Prisma } from '../../shared/platform/postgres/database.ts';
import { isTooFewForPercentile } from '../executions/estimates.ts';
import {
  type PercentileColumns,
  type Percentiles,
  percentileShares,
  percentilesFrom,
  toPercentiles,
} from '../executions/percentiles.ts';
import { type GroupOrder, isApart, keyText } from './counts.ts';
import type { RequestRows } from './rows.ts';

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

/** What a time is: of a completed or of a failed request from its start to its end, or of a completed one to its first token. */
const kinds = { completed: 0, failed: 1, firstToken: 2 } as const;
type Kind = (typeof kinds)[keyof typeof kinds];

type Row = PercentileColumns & { kind: Kind; rows: number };

/** Percentiles as a statement returns them. */
export interface TimeRows {
  times: Row[];
  /** of completed requests; the beginning of the bucket as in the JSON */
  bucketTimes: (Row & { bucket: string })[];
  /** with groups: by their place in the order */
  groupTimes?: (Row & { place: number })[];
}

/**
 * The CTE `time_counts`: times in bins 5 % wide, by bucket; with groups, `group_time_counts` has them by listed group. What ends before
 * it starts has no time. Below 20 ms, each whole ms has a bin of its own.
 */
export function timesOfRows(rows: RequestRows, groups: GroupOrder | null): Prisma.Sql {
  const { bucket, key } = rows.columns;
  const byBucket = Prisma.sql`time_counts as materialized (${binned(rows, { bucket })})`;
  if (groups === null) return byBucket;
  const byKey = binned(rows, { key }, isApart(groups) ? Prisma.sql`created_by in (select raw from listed)` : undefined);
  return Prisma.sql`${byBucket}, group_time_counts as materialized (
    select place, key_times.* from (${byKey}) as key_times join listed on listed.key = ${Prisma.raw(keyText('key_times.key'))})`;
}

/** Times by kind, part and bin; the kind is null for a request that has not ended. */
function binned(rows: RequestRows, part: Record<string, Prisma.Sql>, condition?: Prisma.Sql): Prisma.Sql {
  const counted = (kind: Prisma.Sql, ms: Prisma.Sql, of?: Prisma.Sql): Prisma.Sql => Prisma.sql`
    select kind, ${Prisma.raw(Object.keys(part).join(', '))},
      case when ms >= 1 then floor(ln(ms) * 20)::int + 1 when ms >= 0 then 0 end as bin, count(*)::float8 as n,
      1::float8 as weight, sum(ms) as duration_sum, min(ms) as duration_min, max(ms) as duration_max
    from ${rows.of({ kind, ...part, ms }, of)} group by 1, 2, 3`;
  const answered = condition === undefined ? hasFirstToken : Prisma.sql`${hasFirstToken} and ${condition}`;
  return Prisma.sql`${counted(kindOfEnd, rows.columns.latency, condition)}
    union all ${counted(Prisma.raw(`${kinds.firstToken}`), rows.columns.first_token, answered)}`;
}

const kindOfEnd = Prisma.raw(
  `case state when 'completed' then ${kinds.completed} when 'failed' then ${kinds.failed} end`,
);
const hasFirstToken = Prisma.raw(`first_token_at is not null and state = 'completed'`);

/** The columns `times` and `bucketTimes`. */
export const percentilesByTime = Prisma.sql`
  ${list(percentilesFrom('time_counts', { kind: 'kind' }, { where: 'kind is not null', intervals: true }))} as times,
  ${list(percentilesFrom('time_counts', { kind: 'kind', bucket: 'bucket' }, { where: `kind <> ${kinds.failed} and bucket is not null`, intervals: false, merges: false }))}
    as "bucketTimes"`;

/** The column `groupTimes`. */
export const percentilesByGroup = Prisma.sql`${list(
  percentilesFrom(
    'group_time_counts',
    { kind: 'kind', place: 'place' },
    { where: 'kind is not null', intervals: true, merges: false },
  ),
)} as "groupTimes"`;

function list(query: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(select coalesce(json_agg(part), '[]') from (${query}) as part)`;
}

export function toTimes(rows: readonly Row[]): RequestTimes {
  const of = (kind: Kind): Percentiles => toPercentiles(rows.find((row) => row.kind === kind));
  return {
    latencyMs: { completed: of(kinds.completed), failed: of(kinds.failed) },
    firstTokenMs: of(kinds.firstToken),
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
        latencyMs: toShort(mine.find(({ kind }) => kind === kinds.completed)),
        firstTokenMs: toShort(mine.find(({ kind }) => kind === kinds.firstToken)),
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
