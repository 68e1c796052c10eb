import { type Database, Prisma } from '../../../shared/platform/postgres/database.ts';
import type { Lease } from '../lease.ts';

/** The lobby is told of all games at most so often, whatever the reasons and whoever reads: a reason may come again and again. */
const announceEverySeconds = 60;

/** Notes that the lobby has to be told of all games. A worker that dies before it has done so leaves it to the next one. */
export async function oweAnnouncement(database: Database, { label, token }: Lease): Promise<void> {
  await database.$executeRaw`
    update sluice.stream_lease set announcement_due = true where label = ${label} and token = ${token}`;
}

/**
 * Puts how every game is now into the outbox, for a lobby that has missed something nobody has any more. No commit may go on
 * beside it: numbers that were given out before, and become visible after, would be passed over by the relay.
 *
 * @returns how many; null when it is too soon after the last time
 */
export async function announceAllGames(
  database: Database,
  { label, token }: Lease,
  nowMs: number,
): Promise<number | null> {
  const [row] = await database.$queryRaw<{ leases: number; games: number }[]>(Prisma.sql`
    with lease as (
      update sluice.stream_lease set announced_at = clock_timestamp(), announcement_due = false
      where label = ${label} and token = ${token} and (announced_at is null
        -- After now: the clock was set back.
        or announced_at not between clock_timestamp() - ${announceEverySeconds} * interval '1 second' and clock_timestamp())
      returning label
    ),
    game as materialized (
      select record.* from sluice.runtime_record as record join sluice.health_event_watermark using (game_id)
      where exists (select from lease)
      for no key update of record
    ),
    watermark as (
      update sluice.health_event_watermark as watermark set snapshot_status = game.status, snapshot_health = game.engine_health
      from game where watermark.game_id = game.game_id
    ),
    announced as (
      insert into sluice.lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
      select ${label}, game_id, current_turn, status, engine_health, ${nowMs}::bigint from game order by game_id
      returning seq
    )
    select (select count(*) from lease)::int as leases, (select count(*) from announced)::int as games`);
  return row === undefined || row.leases === 0 ? null : row.games;
}
