import type { Database } from '../../../shared/platform/postgres/database.ts';
import type { Lease } from '../lease.ts';

/** Snapshots that one statement moves. */
const movedAtOnce = 5_000;

/**
 * Puts what is not published of one outbox of this database at the end of another one, in order: two consumers share the
 * games, and what the one has taken in the other does not tell of. No commit of either may go on beside it: numbers that were
 * given out before, and become visible after, would be passed over.
 *
 * @param lease whoever has lost it moves nothing
 */
async function moveSnapshots(
  database: Database,
  lease: Lease,
  { from, after, to }: { from: string; after: number; to: string },
): Promise<number> {
  const { label, token } = lease;
  let moved = 0;
  for (;;) {
    const [row] = await database.$queryRaw<{ moved: number }[]>`
      with locked as materialized (
        select label, token from sluice.stream_lease where label in (${from}, ${to}) order by label for no key update
      ),
      -- Counts, so that both are locked before anything is moved.
      verdict as materialized (
        select count(*) filter (where label = ${label} and token = ${token}) = 1 as "isHeld" from locked
      ),
      taken as (
        delete from sluice.lobby_outbox
        where label = ${from} and exists (select from verdict where "isHeld")
          and seq in (select seq from sluice.lobby_outbox where label = ${from} and seq > ${after} order by seq limit ${movedAtOnce})
        returning *
      ),
      moved as (
        insert into sluice.lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
        select ${to}, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms from taken order by seq
        returning seq
      )
      select count(*)::int as moved from moved`;
    moved += row?.moved ?? 0;
    if ((row?.moved ?? 0) < movedAtOnce) return moved;
  }
}

async function labelOf(database: Database, epoch: string): Promise<string | null> {
  const [row] = await database.$queryRaw<{ label: string }[]>`
    select label from sluice.stream_lease where epoch::text = ${epoch}`;
  return row?.label ?? null;
}

/** Takes over what another consumer of this database has left unpublished. Of another database's there is nothing here. */
export async function takeOverSnapshots(
  database: Database,
  lease: Lease,
  { epoch, seq }: { epoch: string; seq: number },
): Promise<void> {
  const from = await labelOf(database, epoch);
  if (from !== null && from !== lease.label)
    await moveSnapshots(database, lease, { from, after: seq, to: lease.label });
}

/**
 * Deals with snapshots that may not be published. A publisher of this database gets them for its own outbox. Beside one of
 * another database they wait, of each game the last one only, so that they are never more than there are games.
 *
 * @param publisherEpoch names the outbox that is published
 * @param seq the place of the lease's own outbox: what was published before
 */
export async function putAsideSnapshots(
  database: Database,
  lease: Lease,
  { publisherEpoch, seq }: { publisherEpoch: string; seq: number },
): Promise<void> {
  const to = await labelOf(database, publisherEpoch);
  if (to !== null && to !== lease.label) {
    await moveSnapshots(database, lease, { from: lease.label, after: seq, to });
    return;
  }
  await database.$executeRaw`
    with last as materialized (
      select game_id, max(seq) as seq from sluice.lobby_outbox where label = ${lease.label} and seq > ${seq} group by game_id
    )
    delete from sluice.lobby_outbox as snapshot using last
    where snapshot.label = ${lease.label} and snapshot.seq > ${seq}
      and snapshot.game_id = last.game_id and snapshot.seq < last.seq`;
}
