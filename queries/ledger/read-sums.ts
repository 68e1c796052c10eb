import type { QueueName } from '../../shared/contracts/queues.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import { placesOfChunk } from './chunk-places.ts';
import { type LifeKey, lifeColumns } from './life-key.ts';
import { ofFilter, reachMs, type Scope } from './scope.ts';

/** What producers have reported and workers have settled. Counts of records. */
export interface SettledSums {
  recorded: number;
  sampledOut: number;
  disabled: number;
  dropped: number;
  refused: number;
  handed: number;
  /** put into chunks, by the reports */
  chunked: number;
  duplicate: number;
  dead: number;
  /** null: chunks are summed without their realms, so of a realm this is not counted */
  stored: number | null;
}

/** The sums of a producer, of a realm (empty: none), or of a bucket. */
export type GroupedSums = SettledSums &
  (
    | { group: 'producer'; queue: QueueName; producer: string }
    | { group: 'realm'; queue: QueueName; realm: string }
    | { group: 'bucket'; bucketMs: number }
  );

/** What a life has recorded, and neither left out nor put into a chunk, by realm and bucket. */
export interface HeldRow extends LifeKey {
  realm: string;
  bucketMs: number;
  held: number;
}

export interface Sums {
  groups: GroupedSums[];
  held: HeldRow[];
  /** of dropped records */
  reasons: { reason: string; records: number }[];
}

/** Rows of records that wait, the newest first, and of these the largest: with more, the rest counts as unexplained. */
const mostHeld = 20_000;

/**
 * Sums what producers and workers have counted. One pass over the minutes of the producers and the chunks of the workers.
 *
 * Most chunks are stored as a whole, in one bucket, and of minutes that a report covers: of these the totals are enough, which makes it
 * fast. What Redis has refused is in a chunk, too; what a gateway has refused of a client is in none, and a client has no chunks. In the
 * other chunks, each realm and minute is looked at. A minute that no report covers yet counts as it is in the chunks, if they have
 * more: a record in a chunk was recorded.
 */
export async function readSums(snapshot: Snapshot, scope: Scope): Promise<Sums> {
  const [row] = await snapshot.$queryRaw<Sums[]>(sumsStatement(scope));
  return row ?? { groups: [], held: [], reasons: [] };
}

export function sumsStatement({ window: { since, until }, buckets: { bucketMs }, filter }: Scope): Prisma.Sql {
  const [sinceMinute, untilMinute] = [since.getTime() / 60_000, until.getTime() / 60_000];
  const minutesPerBucket = Prisma.sql`${bucketMs / 60_000}::bigint`;
  const stored = filter.realm === undefined ? Prisma.sql`sum(stored)` : Prisma.sql`null::bigint`;
  const ofRealm = filter.realm === undefined ? Prisma.empty : Prisma.sql` where realm = ${filter.realm ?? ''}`;
  const key = Prisma.sql`${lifeColumns}, realm, minute`;
  const counts = Prisma.sql`sum(recorded) as recorded, sum(sampled_out) as "sampledOut", sum(disabled) as disabled,
    sum(dropped) as dropped, sum(refused) as refused, sum(handed) as handed, sum(chunked) as chunked,
    sum(duplicate) as duplicate, sum(dead) as dead`;
  return Prisma.sql`with covered as materialized (
      select ${lifeColumns}, case when is_final then ${untilMinute}::bigint else floor(extract(epoch from reported_at) / 60)::bigint end as covered_until
      from sluice.ledger_life where true${ofFilter(filter)}
    ), begun as materialized (
      select ${lifeColumns}, day_at, sum(total)::bigint as records, max((parts->-1->>1)::bigint) as last_minute, bool_and(stored = total) as is_stored,
        min(seq) as first_seq, max(seq) as last_seq
      from sluice.ledger_chunk
      where day_at >= ${new Date(since.getTime() - reachMs)} and day_at < ${until}${ofFilter(filter)}
      group by ${lifeColumns}, day_at
    ), minutes as materialized (
      select *, is_stored and minute / ${minutesPerBucket} = last_minute / ${minutesPerBucket} and minute >= ${sinceMinute}::bigint
          and last_minute < ${untilMinute}::bigint and coalesce(last_minute < covered_until, false) as is_plain
      from (select *, (extract(epoch from day_at) / 60)::bigint as minute from begun) as begun left join covered using (${lifeColumns})
      where last_minute >= ${sinceMinute}::bigint
    ), plain as (
      select ${lifeColumns}, minute / ${minutesPerBucket} as bucket, sum(records)::bigint as stored from minutes where is_plain group by ${lifeColumns}, 5
    ), arrived as (
      select ${lifeColumns}, coalesce(place.part->>0, '') as realm, (place.part->>1)::bigint as minute, sum(place.records)::bigint as records,
        sum(place.stored)::bigint as stored, sum(place.seen - place.stored)::bigint as duplicate, sum(place.dead)::bigint as dead
      from (select ${lifeColumns}, day_at, first_seq, last_seq from minutes where not is_plain) as other
      join sluice.ledger_chunk as chunk using (${lifeColumns}, day_at), lateral (${placesOfChunk}) as place
      where day_at >= ${new Date(since.getTime() - reachMs)} and day_at < ${until}
        and seq between first_seq and last_seq and (place.part->>1)::bigint >= ${sinceMinute}::bigint and (place.part->>1)::bigint < ${untilMinute}::bigint
      group by ${lifeColumns}, 5, 6
    ), told as (
      select ${lifeColumns}, realm, (extract(epoch from minute_at) / 60)::bigint as minute, recorded, sampled_out, disabled, dropped,
        refused, handed, chunked, dropped_by
      from sluice.ledger_minute where minute_at >= ${since} and minute_at < ${until}${ofFilter(filter)}
    ), counted as (
      select ${key}, coalesce(recorded, 0) as recorded, coalesce(sampled_out, 0) as sampled_out,
        coalesce(disabled, 0) as disabled, coalesce(told.dropped, 0) as dropped, coalesce(refused, 0) as refused,
        coalesce(handed, 0) as handed, coalesce(chunked, 0) as chunked, coalesce(stored, 0) as stored,
        coalesce(duplicate, 0) as duplicate, coalesce(dead, 0) as dead,
        greatest(0, coalesce(recorded - sampled_out - disabled - told.dropped - handed - greatest(chunked, refused), 0)) as held,
        case when covered_until is null or minute >= covered_until then greatest(0, coalesce(records, 0) - coalesce(chunked, 0)) else 0 end as surplus
      from told full join arrived using (${key}) left join covered using (${lifeColumns})
    ), line as (
      select ${key}, minute / ${minutesPerBucket} as bucket, recorded + greatest(0, surplus - held) as recorded, sampled_out, disabled,
        dropped, refused, handed, stored, duplicate, dead, chunked + surplus as chunked, held - least(held, surplus) as held
      from counted${ofRealm}
    ), settled as (
      select producer, queue, bucket, recorded, sampled_out, disabled, dropped, refused, handed, chunked, stored, duplicate, dead from line
      union all select producer, queue, bucket, 0, 0, 0, 0, 0, 0, 0, stored, 0, 0 from plain
    ), grouped as (
      select case when grouping(producer) = 0 then 'producer' else 'bucket' end as "group", queue, producer,
        null as realm, bucket * ${bucketMs}::bigint as "bucketMs", ${counts}, ${stored} as stored
      from settled group by grouping sets ((queue, producer), (bucket))
      union all select 'realm', queue, null, realm, null, ${counts}, null from line group by queue, realm
    ), holding as (
      select ${lifeColumns}, realm, bucket * ${bucketMs}::bigint as "bucketMs", sum(held) as held
      from line where held > 0 group by ${lifeColumns}, realm, bucket
      order by bucket desc, sum(held) desc, ${lifeColumns}, realm limit ${mostHeld}
    ), told_reason as (
      select key as reason, sum(value::bigint) as records from told, jsonb_each_text(dropped_by)
      ${ofRealm} group by key order by 2 desc limit 20
    )
    select (select coalesce(json_agg(grouped), '[]') from grouped) as groups,
      (select coalesce(json_agg(holding), '[]') from holding) as held,
      (select coalesce(json_agg(told_reason), '[]') from told_reason) as reasons`;
}
