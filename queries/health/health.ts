import { type RuntimeStatus, runtimeStatuses } from '../../shared/contracts/runtime-status.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';

/** How far the hardened consumer has read. */
export interface StoredOffset {
  lastId: string;
  /** entries from the stream's creation to `lastId`, read or lost; null if Redis does not count them */
  entriesRead: number | null;
  /** the token of the lease that wrote it */
  fencingToken: number;
  /** entries that were removed before they were read: the total, and where the last ones were; null: there were none */
  gapEntries: number;
  gapAt: Date | null;
  gapAfterId: string | null;
  gapBeforeId: string | null;
  updatedAt: Date;
}

/** Who reads the stream, or was the last to do so. */
export interface Lease {
  holder: string;
  token: number;
  acquiredAt: Date;
  expiresAt: Date;
  /** false: it has expired, by PostgreSQL's clock */
  isHeld: boolean;
  /** ms for which it has been held, or since it expired */
  heldForMs: number;
  expiredForMs: number;
  /** identifies this database to Redis */
  epoch: string;
}

/** Snapshots that are written but not published. */
export interface OutboxDepth {
  rows: number;
  /** ms since the oldest of them was written, by PostgreSQL's clock; null if there is none */
  oldestAgeMs: number | null;
}

/** Games whose engine is reported as lost and healthy at once: it was restarted, and no recovery was reported. */
export interface StuckRecords {
  records: number;
  /** ids of some of them, those that have waited longest first */
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

/** @returns null if nobody has ever held it */
export async function findLease(database: Database, label: string): Promise<Lease | null> {
  const [lease] = await database.$queryRaw<Lease[]>`
    select holder, token::float8 as token, acquired_at as "acquiredAt", expires_at as "expiresAt", epoch::text as epoch,
      expires_at > clock_timestamp() as "isHeld",
      greatest(0, extract(epoch from clock_timestamp() - acquired_at) * 1000)::float8 as "heldForMs",
      greatest(0, extract(epoch from clock_timestamp() - expires_at) * 1000)::float8 as "expiredForMs"
    from sluice.stream_lease where label = ${label}`;
  return lease ?? null;
}

/** @param publishedSeq the last one in the lobby's stream: rows up to it are only kept for a while */
export async function readOutboxDepth(database: Database, label: string, publishedSeq: number): Promise<OutboxDepth> {
  const [depth] = await database.$queryRaw<OutboxDepth[]>`
    select count(*)::int as rows,
      greatest(0, extract(epoch from clock_timestamp() - min(created_at)) * 1000)::float8 as "oldestAgeMs"
    from sluice.lobby_outbox where label = ${label} and seq > ${publishedSeq}`;
  return depth === undefined || depth.rows === 0 ? { rows: 0, oldestAgeMs: null } : depth;
}

/** Games by status; a status without games has 0. */
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
 * Sets the offset in one statement. It increments the lease's token and expires the lease: a running consumer can no longer
 * commit anything, and the next holder starts at the new offset. Entries lost so far stay counted.
 */
export async function setStoredOffset(
  database: Database,
  { label, lastId, entriesRead }: { label: string; lastId: string; entriesRead: number | null },
): Promise<void> {
  // Locks the lease's row first, as the consumer's own statement does, so that the two cannot deadlock.
  await database.$executeRaw(Prisma.sql`
    with fenced as (
      update sluice.stream_lease set token = token + 1, expires_at = clock_timestamp() where label = ${label} returning token)
    insert into sluice.stream_offset as stored (label, last_id, entries_read, fencing_token, updated_at)
    select ${label}, ${lastId}, ${entriesRead}::bigint, coalesce(max(token), 0), clock_timestamp() from fenced
    on conflict (label) do update set last_id = excluded.last_id, entries_read = excluded.entries_read,
      fencing_token = greatest(stored.fencing_token, excluded.fencing_token), updated_at = excluded.updated_at`);
}
