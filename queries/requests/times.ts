import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Buckets } from '../executions/buckets.ts';
import { isTooFewForPercentile } from '../executions/estimates.ts';
import {
  type PercentileColumns,
  type Percentiles,
  percentileShares,
  percentilesFrom,
  toPercentiles,
} from '../executions/percentiles.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import { bucketOf } from './counts.ts';
import { keyOf, type RequestDimension } from './dimensions.ts';
import { type RequestScope, requestsWithin } from './scope.ts';

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

/** The times of a scope, those of each bucket by its beginning in ms since 1970, and those of each group in order. */
export interface TimesRead {
  all: RequestTimes;
  buckets: Map<number, { latencyMs: ShortPercentiles; firstTokenMs: ShortPercentiles }>;
  groups: RequestTimes[];
}

type Row = PercentileColumns & { rows: number };
type OfResult<T> = T & { ok: boolean };

interface Parts {
  all: OfResult<Row>[];
  /** the beginning, as in the JSON */
  buckets: (Row & { bucket: string })[];
  groups: (OfResult<Row> & { place: number })[];
}

/** By which keys to group. */
export interface ListedGroups {
  by: RequestDimension;
  keys: readonly (string | null)[];
}

/** Reads how long requests took: one statement for latencies, one for first tokens. Each reads the requests once. */
export async function readTimes(
  snapshot: Snapshot,
  scope: RequestScope,
  { buckets, groups }: { buckets: Buckets | null; groups: ListedGroups | null },
): Promise<TimesRead> {
  const read = async (table: Timed['table'], timed: Omit<Timed, 'table'>): Promise<Parts> => {
    const [row] = await snapshot.$queryRaw<[Parts]>(toStatement(scope, { table, ...timed }, buckets, groups));
    return row;
  };
  const latencies = await read('latency_counts', latency);
  const firstTokens = await read('first_token_counts', firstToken);
  const toTimes = (ofLatency: readonly OfResult<Row>[], ofToken: readonly OfResult<Row>[]): RequestTimes => ({
    latencyMs: {
      completed: toPercentiles(ofLatency.find(({ ok }) => ok)),
      failed: toPercentiles(ofLatency.find(({ ok }) => !ok)),
    },
    firstTokenMs: toPercentiles(ofToken[0]),
  });
  const at = (rows: Parts['buckets']) => new Map(rows.map((row) => [Date.parse(row.bucket), row]));
  const [latencyAt, firstTokenAt] = [at(latencies.buckets), at(firstTokens.buckets)];
  return {
    all: toTimes(latencies.all, firstTokens.all),
    buckets: new Map(
      [...new Set([...latencyAt.keys(), ...firstTokenAt.keys()])].map((ms) => [
        ms,
        { latencyMs: toShort(latencyAt.get(ms)), firstTokenMs: toShort(firstTokenAt.get(ms)) },
      ]),
    ),
    groups: (groups?.keys ?? []).map((_, index) => {
      const mine = (rows: Parts['groups']) => rows.filter(({ place }) => place === index + 1);
      return toTimes(mine(latencies.groups), mine(firstTokens.groups));
    }),
  };
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

/** What a statement measures. */
interface Timed {
  table: 'latency_counts' | 'first_token_counts';
  /** from the start until then */
  until: Prisma.Sql;
  condition: Prisma.Sql;
}

const latency: Omit<Timed, 'table'> = {
  until: Prisma.raw('coalesce(completed_at, failed_at)'),
  condition: Prisma.raw(`state in ('completed', 'failed')`),
};
const firstToken: Omit<Timed, 'table'> = {
  until: Prisma.raw('first_token_at'),
  condition: Prisma.raw(`state = 'completed' and first_token_at is not null`),
};

/**
 * Times in bins 5 % wide, by bucket and group, and their percentiles. What ends before it starts has no time; whole ms below 20 have a
 * bin each.
 */
function toStatement(
  scope: RequestScope,
  { table, until, condition }: Timed,
  buckets: Buckets | null,
  groups: ListedGroups | null,
): Prisma.Sql {
  const bucket = buckets === null ? Prisma.raw('null::timestamptz') : bucketOf(buckets);
  const place =
    groups === null
      ? Prisma.raw('null::int')
      : Prisma.sql`array_position(${groups.keys}::text[], (${keyOf(groups.by)})::text)`;
  return Prisma.sql`with ${Prisma.raw(table)} as materialized (
      select bucket, place, ok, case when ms >= 1 then floor(ln(ms) * 20)::int + 1 else 0 end as bin, count(*)::float8 as n,
        1::float8 as weight, sum(ms) as duration_sum, min(ms) as duration_min, max(ms) as duration_max
      from (
        select ${bucket} as bucket, ${place} as place, state = 'completed' as ok,
          round(date_part('epoch', ${until} - started_at) * 1000) as ms
        from ${requestsWithin(scope)} and ${condition}
      ) as timed
      where ms >= 0 group by 1, 2, 3, 4
    )
    select ${part(percentilesFrom(table, { ok: 'ok' }, { where: 'true', intervals: true }))} as all,
      ${part(percentilesFrom(table, { bucket: 'bucket' }, { where: 'ok and bucket is not null', intervals: false }))} as buckets,
      ${part(percentilesFrom(table, { place: 'place', ok: 'ok' }, { where: 'place is not null', intervals: true }))} as groups`;
}

function part(query: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(select coalesce(json_agg(part), '[]') from (${query}) as part)`;
}
