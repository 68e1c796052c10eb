import { type RuntimeStatus, runtimeStatuses } from '../../shared/contracts/runtime-status.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';

/** How far the hardened consumer has read. */
export interface StoredOffset {
  lastId: string;
  /** entries from the stream's birth to `lastId`, read or lost; null when Redis does not count them */
  entriesRead: number | null;
  /** of the lease that wrote it */
  fencingToken: number;
  /** entries that were removed before they were read, in all, and where the last ones were; null: there were none */
  gapEntries: number;
  gapAt: Date | null;
  gapAfterId: string | null;
  gapBeforeId: string | null;
  updatedAt: Date;
}

/** Who reads the stream, or did so last. */
export interface Lease {
  holder: string;
  token: number;
  acquiredAt: Date;
  expiresAt: Date;
  /** false: it has run out, by the clock of PostgreSQL */
  isHeld: boolean;
  /** ms that it has been held for, or ms since it ran out */
  heldForMs: number;
  expiredForMs: number;
  /** names this database to Redis */
  epoch: string;
}

/** Snapshots that are written and not published. */
export interface OutboxDepth {
  rows: number;
  /** ms since the oldest of them was written, by the clock of PostgreSQL; null when there is none */
  oldestAgeMs: number | null;
}

/** Games whose engine is said to be lost and healthy at once: it was started again, and nobody reported a recovery. */
export interface StuckRecords {
  records: number;
  /** of some of them, those that have waited longest first */
  gameIds: string[];
}

/** @returns null before the hardened consumer has run for the first time */
export async function findStoredOffset(database: Database, label: string): Promise<StoredOffset | null> {
  const row = await database.streamOffset.findUnique({ where: { label } });
  if (row === null) return null;
  const { lastId, entriesRead, fencingToken, gapEntries, gapAt, gapAfterId, gapBeforeId, updatedAt } = row;
  return {
    lastId,
    entriesRead: entriesRead === null ? null : Number(entriesRead),
    fencingToken: Number(fencingToken),
    gapEntries: Number(gapEntries),
    gapAt,
    gapAfterId,
    gapBeforeId,
    updatedAt,
  };
}

/** @returns null before anybody ever held it */
export async function findLease(database: Database, label: string): Promise<Lease | null> {
  const [lease] = await database.$queryRaw<Lease[]>`
    select holder, token::float8 as token, acquired_at as "acquiredAt", expires_at as "expiresAt", epoch::text as epoch,
      expires_at > clock_timestamp() as "isHeld",
      greatest(0, extract(epoch from clock_timestamp() - acquired_at) * 1000)::float8 as "heldForMs",
      greatest(0, extract(epoch from clock_timestamp() - expires_at) * 1000)::float8 as "expiredForMs"
    from sluice.stream_lease where label = ${label}`;
  return lease ?? null;
}

/** @param publishedSeq the last one that is in the lobby's stream: rows up to it are only kept for a while */
export async function readOutboxDepth(database: Database, label: string, publishedSeq: number): Promise<OutboxDepth> {
  const [depth] = await database.$queryRaw<OutboxDepth[]>`
    select count(*)::int as rows,
      greatest(0, extract(epoch from clock_timestamp() - min(created_at)) * 1000)::float8 as "oldestAgeMs"
    from sluice.lobby_outbox where label = ${label} and seq > ${publishedSeq}`;
  return depth === undefined || depth.rows === 0 ? { rows: 0, oldestAgeMs: null } : depth;
}

/** Games by status; a status that none has is there with 0. */
export async function countGames(database: Database): Promise<Record<RuntimeStatus, number>> {
  const groups = await database.runtimeRecord.groupBy({ by: ['status'], _count: true });
  const counts = new Map(groups.map(({ status, _count }) => [status, _count]));
  return Object.fromEntries(runtimeStatuses.map((status) => [status, counts.get(status) ?? 0])) as Record<
    RuntimeStatus,
    number
  >;
}

const stuckShown = 3;

export async function readStuckRecords(database: Database): Promise<StuckRecords> {
  const [stuck] = await database.$queryRaw<StuckRecords[]>`
    select count(*)::int as records,
      coalesce((array_agg(game_id order by updated_at, game_id))[1:${stuckShown}::int], '{}') as "gameIds"
    from sluice.runtime_record where status = 'engine_unreachable' and engine_health = 'healthy'`;
  return stuck ?? { records: 0, gameIds: [] };
}

/**
 * Sets the offset, in one statement. The lease goes up by one and runs out: a consumer that is at work can commit nothing
 * any more, and whoever takes the lease next begins at the new offset. Entries that were lost so far stay counted.
 */
export async function setStoredOffset(
  database: Database,
  { label, lastId, entriesRead }: { label: string; lastId: string; entriesRead: number | null },
): Promise<void> {
  // The lease's row first, as the consumer's own statement locks it: neither waits for the other with a lock in hand.
  await database.$executeRaw(Prisma.sql`
    with fenced as (
      update sluice.stream_lease set token = token + 1, expires_at = clock_timestamp() where label = ${label} returning token)
    insert into sluice.stream_offset as stored (label, last_id, entries_read, fencing_token, updated_at)
    select ${label}, ${lastId}, ${entriesRead}::bigint, coalesce(max(token), 0), clock_timestamp() from fenced
    on conflict (label) do update set last_id = excluded.last_id, entries_read = excluded.entries_read,
      fencing_token = greatest(stored.fencing_token, excluded.fencing_token), updated_at = excluded.updated_at`);
}
