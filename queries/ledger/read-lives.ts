import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import { type Edge, type Gap, gapBetween } from './gaps.ts';
import { type LifeKey, lifeArrays, lifeColumns } from './life-key.ts';
import { ofFilter, reachMs, type Scope } from './scope.ts';

/** The chunks of a life within a window, and its last report. Times in ms since 1970 by the clock of the database. */
export interface LifeRow extends LifeKey {
  /** null: no chunk of it is in the window */
  firstSeq: number | null;
  lastSeq: number | null;
  /** records in those chunks, and of the life before the first and after the last of them */
  records: number;
  start: number;
  end: number;
  /** minute of its first and of its last record in the window, by the producer's clock */
  firstMinute: number | null;
  lastMinute: number | null;
  /** when a worker began with the last of them */
  lastChunkAtMs: number | null;
  /** the chunks next to the window; null: there is none */
  before: { seq: number; end: number; minute: number } | null;
  after: { seq: number; start: number; minute: number } | null;
  /** null: none has come */
  report: LifeReport | null;
  nowMs: number;
  /** the beginning of the oldest day of which chunks are kept; null: there are no partitions by day */
  keptSinceMs: number | null;
}

export interface LifeReport {
  kind: string;
  /** by the producer's clock */
  reportedAtMs: number;
  firstAtMs: number;
  lastAtMs: number;
  /** from the producer's clock to the database's, the least of all reports, with the time that they took */
  leastLagMs: number;
  isFinal: boolean;
  lastSeq: number;
  chunkedRecords: number;
  waitingRecords: number;
  spilledRecords: number;
  unacknowledged: [from: number, until: number][];
}

/**
 * Lives that are read at most: first those of which something has surely not arrived, then those of which it may, the newest first. What
 * of others has not arrived is unexplained.
 */
export const mostLives = 5_000;

const sameLife = Prisma.sql`chunk.producer = one.producer and chunk.epoch = one.epoch and chunk.life = one.life and chunk.queue = one.queue`;
/** The parts are in the order of the records. */
const lastMinute = Prisma.sql`(parts->-1->>1)::bigint`;
const minuteOf = (time: Prisma.Sql): Prisma.Sql => Prisma.sql`floor(extract(epoch from ${time}) / 60)::bigint`;
const msOf = (time: Prisma.Sql): Prisma.Sql => Prisma.sql`(extract(epoch from ${time}) * 1000)::float8`;

/** Where the partitions of the chunks begin, as the catalog prints it. */
const keptDays = Prisma.sql`
  select (regexp_match(pg_get_expr(part.relpartbound, part.oid), 'FROM [(]''([^'']+)''[)]'))[1]::timestamptz as since
  from pg_inherits join pg_class as part on part.oid = inhrelid join pg_class as parent on parent.oid = inhparent
  where parent.relname = 'ledger_chunk' and parent.relnamespace = to_regnamespace('sluice')`;

/** The lives that have something in a window, and how many there are beyond those. */
export async function readLives(snapshot: Snapshot, scope: Scope): Promise<{ lives: LifeRow[]; leftOut: number }> {
  const rows = await snapshot.$queryRaw<(LifeRow & { ofLives: number })[]>(livesStatement(scope));
  return { lives: rows.map(({ ofLives, ...life }) => life), leftOut: (rows[0]?.ofLives ?? 0) - rows.length };
}

function livesStatement({ window: { since, until }, filter }: Scope): Prisma.Sql {
  const sinceMinute = since.getTime() / 60_000;
  return Prisma.sql`with day as (${keptDays}), seen as (
      select ${lifeColumns}, min(seq) as first_seq, max(seq) as last_seq, sum(total)::bigint as records, min(before) as start_at,
        max(before + total) as end_at, ${minuteOf(Prisma.sql`min(day_at)`)} as first_minute, max(${lastMinute}) as last_minute,
        max(first_at) as last_chunk_at, bool_or(total > seen + dead) as has_unsettled
      from sluice.ledger_chunk
      where day_at >= ${new Date(since.getTime() - reachMs)} and day_at < ${until}${ofFilter(filter)}
      group by ${lifeColumns} having max(${lastMinute}) >= ${sinceMinute}::bigint
    ), active as (
      select * from seen full join (
        select distinct ${lifeColumns} from sluice.ledger_minute
        where minute_at >= ${since} and minute_at < ${until}${ofFilter(filter)}
      ) as told using (${lifeColumns})
    ), one as (
      select active.*, count(*) over () as of_lives from active left join sluice.ledger_life as report using (${lifeColumns})
      order by case
          when has_unsettled or records < end_at - start_at then 1
          when is_final and coalesce(start_at, 0) = 0 and coalesce(active.last_seq, 0) = report.last_seq then 3
          else 2 end,
        epoch desc, ${lifeColumns} limit ${mostLives}
    )
    select one.producer, one.epoch::float8 as epoch, one.life, one.queue, of_lives::float8 as "ofLives", one.first_seq::float8 as "firstSeq",
      one.last_seq::float8 as "lastSeq", coalesce(records, 0)::float8 as records, coalesce(start_at, 0)::float8 as start,
      coalesce(end_at, 0)::float8 as "end", first_minute::float8 as "firstMinute", last_minute::float8 as "lastMinute",
      ${msOf(Prisma.sql`last_chunk_at`)} as "lastChunkAtMs",
      (select json_build_object('seq', seq, 'end', before + total, 'minute', ${lastMinute}) from sluice.ledger_chunk as chunk
        where ${sameLife} and seq < coalesce(one.first_seq, 9223372036854775807)
          and (one.start_at > 0 or one.first_seq is null and day_at < ${since})
        order by seq desc limit 1) as before,
      (select json_build_object('seq', seq, 'start', before, 'minute', ${minuteOf(Prisma.sql`day_at`)}) from sluice.ledger_chunk as chunk
        where ${sameLife} and seq > coalesce(one.last_seq, 0) and (one.last_seq is not null or day_at >= ${until})
        order by seq limit 1) as after,
      case when kind is not null then json_build_object('kind', kind, 'reportedAtMs', ${msOf(Prisma.sql`reported_at`)},
        'firstAtMs', ${msOf(Prisma.sql`report.first_at`)}, 'lastAtMs', ${msOf(Prisma.sql`report.last_at`)}, 'leastLagMs', least_lag_ms,
        'isFinal', is_final, 'lastSeq', report.last_seq, 'chunkedRecords', chunked_records, 'waitingRecords', waiting_records,
        'spilledRecords', spilled_records, 'unacknowledged', unacknowledged) end as report,
      ${msOf(Prisma.sql`now()`)} as "nowMs", ${msOf(Prisma.sql`(select min(since) from day)`)} as "keptSinceMs"
    from one left join sluice.ledger_life as report using (${lifeColumns})`;
}

/** A row with `before` of a chunk that does not follow the one before it. */
interface HoleRow extends LifeKey {
  seq: number;
  start: number;
  minute: number;
  beforeSeq: number;
  beforeEnd: number;
  beforeMinute: number;
}

/** Gaps that are listed at most, of all lives together. */
const mostGaps = 2_000;

/** The gaps between the chunks of lives within a window. The oldest first. */
export async function readHoles(
  snapshot: Snapshot,
  { window: { since, until } }: Scope,
  lives: readonly LifeKey[],
): Promise<(LifeKey & { gap: Gap })[]> {
  if (lives.length === 0) return [];
  const rows = await snapshot.$queryRaw<HoleRow[]>`
    with one as (
      select * from unnest(${lifeArrays(lives)}) as one (${lifeColumns})
    )
    select producer, epoch::float8 as epoch, life, queue, seq::float8 as seq, before::float8 as start, minute::float8 as minute,
      before_seq::float8 as "beforeSeq", before_end::float8 as "beforeEnd", before_minute::float8 as "beforeMinute"
    from (
      select chunk.producer, chunk.epoch, chunk.life, chunk.queue, seq, before, ${minuteOf(Prisma.sql`day_at`)} as minute, lag(seq) over w as before_seq,
        lag(before + total) over w as before_end, lag(${lastMinute}) over w as before_minute
      from one join sluice.ledger_chunk as chunk on ${sameLife}
      where day_at >= ${new Date(since.getTime() - reachMs)} and day_at < ${until}
      window w as (partition by chunk.producer, chunk.epoch, chunk.life, chunk.queue order by seq)
    ) as chunk where before > before_end order by minute, producer, epoch, life, queue, seq limit ${mostGaps}`;
  return rows.flatMap(({ seq, start, minute, beforeSeq, beforeEnd, beforeMinute, ...key }) => {
    const end: Edge = { seq: beforeSeq, position: beforeEnd, isWhole: true, minute: beforeMinute };
    const gap = gapBetween(end, { seq, position: start, isWhole: true, minute });
    return gap === null ? [] : [{ ...key, gap }];
  });
}
