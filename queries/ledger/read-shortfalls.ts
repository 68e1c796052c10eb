import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import type { Shortfall } from './attribute.ts';
import { placesOfChunk } from './chunk-places.ts';
import { type LifeKey, lifeArrays, lifeColumns } from './life-key.ts';
import { reachMs, type Scope } from './scope.ts';

/** Minutes of a life around its gaps. */
export interface MinuteSpan extends LifeKey {
  fromMinute: number;
  /** included */
  untilMinute: number;
}

export type ShortfallRow = LifeKey & Shortfall;

/** Rows at most, the newest first, and of these the largest. With more, the rest is booked without a realm. */
const most = 20_000;

/**
 * What lives have put into chunks in some of their minutes, and is not settled: by their reports or, if those have more, by the chunks
 * that have arrived. By realm and bucket.
 */
export async function readShortfalls(
  snapshot: Snapshot,
  { window: { since, until }, buckets: { bucketMs } }: Scope,
  spans: readonly MinuteSpan[],
): Promise<ShortfallRow[]> {
  if (spans.length === 0) return [];
  const [sinceMinute, untilMinute] = [since.getTime() / 60_000, until.getTime() / 60_000];
  const within = Prisma.sql`minute >= ${sinceMinute}::bigint and minute < ${untilMinute}::bigint and minute between from_minute and until_minute`;
  return snapshot.$queryRaw<ShortfallRow[]>`
    with span as (
      select * from unnest(${lifeArrays(spans)},
        ${spans.map(({ fromMinute }) => fromMinute)}::bigint[], ${spans.map(({ untilMinute }) => untilMinute)}::bigint[])
        as span (${lifeColumns}, from_minute, until_minute)
    ), arrived as (
      select ${lifeColumns}, realm, minute, sum(records)::bigint as records, sum(seen + dead)::bigint as settled
      from (
        select ${lifeColumns}, from_minute, until_minute, coalesce(place.part->>0, '') as realm, (place.part->>1)::bigint as minute,
          place.records, place.seen, place.dead
        from span join sluice.ledger_chunk as chunk using (${lifeColumns}), lateral (${placesOfChunk}) as place
        where day_at >= ${new Date(since.getTime() - reachMs)} and day_at < ${until}
          and day_at < to_timestamp((until_minute + 1) * 60) and day_at >= to_timestamp(from_minute * 60) - ${reachMs}::int * interval '1 ms'
          and (parts->-1->>1)::bigint >= from_minute
      ) as placed where ${within} group by ${lifeColumns}, realm, minute
    ), told as (
      select ${lifeColumns}, realm, minute, chunked, refused
      from span join (
        select *, (extract(epoch from minute_at) / 60)::bigint as minute from sluice.ledger_minute where minute_at >= ${since} and minute_at < ${until}
      ) as told using (${lifeColumns}) where ${within}
    )
    select producer, epoch::float8 as epoch, life, queue, realm, (minute * 60000 / ${bucketMs}::bigint * ${bucketMs}::bigint)::float8 as "bucketMs",
      sum(short)::float8 as records, sum(least(short, refused))::float8 as refused
    from (
      select ${lifeColumns}, realm, minute, greatest(coalesce(chunked, 0), coalesce(records, 0)) - coalesce(settled, 0) as short, coalesce(refused, 0) as refused
      from told full join arrived using (${lifeColumns}, realm, minute)
    ) as line where short > 0 group by ${lifeColumns}, realm, 6
    order by 6 desc, 7 desc, ${lifeColumns}, realm limit ${most}`;
}
