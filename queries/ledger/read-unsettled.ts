import type { Snapshot } from '../executions/snapshot.ts';
import { type LifeKey, lifeArrays, lifeColumns } from './life-key.ts';
import { ofFilter, reachMs, type Scope } from './scope.ts';

/** How many records of a chunk are settled, once a worker has begun with it. */
export interface ChunkProgress extends LifeKey {
  seq: number;
  before: number;
  total: number;
  unsettled: number;
}

/** A chunk that still has records to settle. */
export interface UnsettledChunk extends ChunkProgress {
  /** of its first record, by the producer's clock */
  minute: number;
}

/** Chunks that are looked at one by one. */
const mostUnsettled = 1_000;

/** If there are more than can be looked at, the oldest: they are the least likely to be under way. */
export async function readUnsettled(
  snapshot: Snapshot,
  { window: { since, until }, filter }: Scope,
): Promise<UnsettledChunk[]> {
  return snapshot.$queryRaw<UnsettledChunk[]>`
    select producer, epoch::float8 as epoch, life, queue, seq::float8 as seq, before::float8 as before, total,
      total - seen - dead as unsettled, floor(extract(epoch from day_at) / 60)::float8 as minute
    from sluice.ledger_chunk
    where day_at >= ${new Date(since.getTime() - reachMs)} and day_at < ${until} and total > seen + dead${ofFilter(filter)}
    order by day_at, ${lifeColumns}, seq limit ${mostUnsettled}`;
}

/** Rows that are read again at most. */
const mostAgain = 20_000;

/** Reads chunks again, outside of the snapshot: what is neither in Redis nor in the snapshot may just have been stored. */
export async function readAgain(
  database: Snapshot,
  ranges: readonly (LifeKey & { fromSeq: number; untilSeq: number })[],
): Promise<ChunkProgress[]> {
  if (ranges.length === 0) return [];
  return database.$queryRaw<ChunkProgress[]>`
    select chunk.producer, chunk.epoch::float8 as epoch, chunk.life, chunk.queue, seq::float8 as seq, before::float8 as before, total,
      total - seen - dead as unsettled
    from unnest(${lifeArrays(ranges)},
      ${ranges.map(({ fromSeq }) => fromSeq)}::bigint[], ${ranges.map(({ untilSeq }) => untilSeq)}::bigint[])
      as one (${lifeColumns}, from_seq, until_seq)
    join sluice.ledger_chunk as chunk using (${lifeColumns})
    where seq between from_seq and until_seq order by seq limit ${mostAgain}`;
}
