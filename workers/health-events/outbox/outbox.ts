import type { RuntimeSnapshot } from '../../../shared/contracts/lobby-event.ts';
import { type Database, type JsonStatement, queryWithJson } from '../../../shared/platform/postgres/database.ts';
import type { Lease } from '../lease.ts';

/** A snapshot that is to be published, and its number, which rises from one to the next. */
export interface OutboxRow {
  seq: number;
  snapshot: RuntimeSnapshot;
}

/** How long what was published is kept, in case that Redis loses it: as long as the longest time between two saves of common set-ups. */
const keptSeconds = 60;

const nextStatement: JsonStatement = [
  `select seq::float8, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms::float8
  from json_to_record(`,
  `::json) as wanted ("label" text, "afterSeq" bigint, "limit" integer)
  cross join lateral (
    select * from sluice.lobby_outbox as outbox where outbox.label = wanted.label and outbox.seq > wanted."afterSeq"
    order by outbox.seq limit wanted."limit"
  ) as snapshot
  order by seq`,
];

/**
 * The next snapshots after a number, in order. On the driver itself: the lobby waits for it, and Prisma's client takes as
 * long again as the server.
 */
export async function nextSnapshots(
  database: Database,
  label: string,
  afterSeq: number,
  limit: number,
): Promise<OutboxRow[]> {
  const rows = await queryWithJson(database, nextStatement, JSON.stringify({ label, afterSeq, limit }));
  return rows.map((row) => {
    const [seq, gameId, currentTurn, runtimeStatus, engineHealthSummary, occurredAtMs] = row;
    return {
      seq,
      snapshot: { gameId, currentTurn, runtimeStatus, engineHealthSummary, occurredAtMs },
    } as OutboxRow;
  });
}

/** Snapshots after a number. */
export function countSnapshots(database: Database, label: string, afterSeq: number): Promise<number> {
  return database.lobbyOutbox.count({ where: { label, seq: { gt: afterSeq } } });
}

/** What is known of an outbox. */
export interface OutboxBounds {
  /** the highest number that was deleted, and the highest ever; 0 for none */
  floor: number;
  top: number;
  /** whether the lobby has to be told of all games, and was not yet */
  isAnnouncementDue: boolean;
}

export async function outboxBounds(database: Database, label: string): Promise<OutboxBounds> {
  const [row] = await database.$queryRaw<{ floor: bigint; top: bigint; isDue: boolean }[]>`
    select outbox_floor as floor, announcement_due as "isDue",
      greatest(outbox_floor, (select max(seq) from sluice.lobby_outbox where label = ${label})) as top
    from sluice.stream_lease where label = ${label}`;
  return { floor: Number(row?.floor ?? 0), top: Number(row?.top ?? 0), isAnnouncementDue: row?.isDue ?? false };
}

/** Snapshots that one statement deletes: however many there are, each takes a short time. */
const clearedAtOnce = 5_000;

/** Deletes what was published long enough ago. Who has lost the lease deletes nothing: the floor has to rise with it. */
export async function clearPublished(database: Database, { label, token }: Lease, publishedSeq: number): Promise<void> {
  for (;;) {
    const [row] = await database.$queryRaw<{ cleared: bigint }[]>`
      with lease as materialized (
        select label from sluice.stream_lease where label = ${label} and token = ${token} for no key update
      ),
      old as materialized (
        select seq from sluice.lobby_outbox
        where label = (select label from lease) and seq <= ${publishedSeq}
          and created_at < clock_timestamp() - ${keptSeconds} * interval '1 second'
        order by seq limit ${clearedAtOnce}
      ),
      cleared as (
        delete from sluice.lobby_outbox where label = ${label} and seq in (select seq from old)
      ),
      floor as (
        update sluice.stream_lease set outbox_floor = greatest(outbox_floor, (select max(seq) from old))
        where label = (select label from lease) and exists (select from old)
      )
      select count(*) as cleared from old`;
    if (Number(row?.cleared ?? 0) < clearedAtOnce) return;
  }
}
