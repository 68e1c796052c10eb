import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import type { LifeKey } from './read-lives.ts';
import { ofFilter, reachMs, type Scope } from './scope.ts';

/** A chunk that a worker has begun with, and that still has records to settle. */
export interface UnsettledChunk extends LifeKey {
  seq: number;
  before: number;
  total: number;
  unsettled: number;
  /** of its first record, by the producer's clock */
  minute: number;
}

/** Chunks that are looked at one by one. */
const mostUnsettled = 1_000;

/** Of more than can be looked at, any. */
export async function readUnsettled(
  snapshot: Snapshot,
  { window: { since, until }, filter }: Scope,
): Promise<UnsettledChunk[]> {
  return snapshot.$queryRaw<UnsettledChunk[]>`
    select producer, epoch::float8 as epoch, life, queue, seq::float8 as seq, before::float8 as before, total,
      total - seen - dead as unsettled, floor(extract(epoch from day_at) / 60)::float8 as minute
    from sluice.ledger_chunk
    where day_at >= ${new Date(since.getTime() - reachMs)} and day_at < ${until} and total > seen + dead${ofFilter(filter)}
    limit ${mostUnsettled}`;
}

/** How it stands with chunks now: those that a worker has accounted for. */
export interface ChunkNow extends LifeKey {
  seq: number;
  before: number;
  total: number;
  unsettled: number;
}

/** Rows that are read again at most. */
const mostAgain = 20_000;

/** Reads chunks again, outside of the snapshot: what is neither in Redis nor in the snapshot may just have been stored. */
export async function readAgain(
  database: Snapshot,
  ranges: readonly (LifeKey & { fromSeq: number; untilSeq: number })[],
): Promise<ChunkNow[]> {
  if (ranges.length === 0) return [];
  const columns = Prisma.sql`producer, epoch, life, queue`;
  return database.$queryRaw<ChunkNow[]>`
    select chunk.producer, chunk.epoch::float8 as epoch, chunk.life, chunk.queue, seq::float8 as seq, before::float8 as before, total,
      total - seen - dead as unsettled
    from unnest(${ranges.map(({ producer }) => producer)}::text[], ${ranges.map(({ epoch }) => epoch)}::bigint[],
      ${ranges.map(({ life }) => life)}::text[], ${ranges.map(({ queue }) => queue)}::text[],
      ${ranges.map(({ fromSeq }) => fromSeq)}::bigint[], ${ranges.map(({ untilSeq }) => untilSeq)}::bigint[])
      as one (${columns}, from_seq, until_seq)
    join sluice.ledger_chunk as chunk using (${columns})
    where seq between from_seq and until_seq order by seq limit ${mostAgain}`;
}
