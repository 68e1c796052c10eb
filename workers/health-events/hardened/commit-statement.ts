import type { JsonStatement } from '../../../shared/platform/postgres/database.ts';

/**
 * Everything that a batch of events does, with the offset after it, or nothing at all. Its one parameter is a JSON object.
 * It returns one row: whether the lease still holds, the games that are not as they were when the batch was planned, and the
 * first and the last number of the snapshots in the outbox.
 *
 * - The lease's row is locked: whoever wants to take the lease over waits for this statement, and this one for them. So does
 *   the next commit, if this one goes on after its connection was lost: numbers in the outbox become visible in order.
 * - A record that somebody has locked counts as one that has changed: to wait for it would make all other games wait. A
 *   change is any: `xmin` is the transaction that wrote the row.
 * - The limit only says how many games there are. Without it the server takes every list to have a hundred rows, and reads a whole
 *   table for the sake of one.
 * - No transaction spans two calls, so a process that is stopped in the middle holds no lock.
 */
export const commitStatement = (games: number): JsonStatement => [
  `with input as materialized (
    select * from json_to_record(`,
  `::json) as input ("label" text, "token" bigint, "lastId" text, "entriesRead" bigint, "gapEntries" bigint,
      "gapAfterId" text, "gapBeforeId" text, "games" json, "snapshots" json)
  ),
  lease as materialized (
    select from sluice.stream_lease as lease join input on lease.label = input.label and lease.token = input.token
    for no key update of lease
  ),
  game as materialized (
    select game.* from input, json_to_recordset(input.games) as game ("gameId" text, "version" text, "changes" boolean,
      "status" text, "health" text, "lastId" text, "occurredAtMs" bigint, "upAtMs" bigint, "downAtMs" bigint,
      "containerId" text, "containerSinceMs" bigint, "previousContainerId" text,
      "snapshotStatus" text, "snapshotHealth" text)
    limit ${games}
  ),
  locked as materialized (
    select record.game_id, record.xmin::text as version
    from sluice.runtime_record as record join game on record.game_id = game."gameId"
    order by record.game_id
    for no key update of record skip locked
  ),
  verdict as materialized (
    select exists (select from lease) as "isHeld", (
      select coalesce(json_agg(game."gameId"), '[]'::json)
      from game left join locked on locked.game_id = game."gameId"
      where locked.version is distinct from game.version
    ) as conflicts
  ),
  approved as materialized (
    select from verdict where "isHeld" and json_array_length(conflicts) = 0
  ),
  record as (
    update sluice.runtime_record as record set status = game.status, engine_health = game.health, updated_at = clock_timestamp()
    from game, approved
    where record.game_id = game."gameId" and game.changes
  ),
  watermark as (
    insert into sluice.health_event_watermark as watermark (game_id, last_id, occurred_at_ms, up_at_ms, down_at_ms, container_id,
      container_since_ms, previous_container_id, snapshot_status, snapshot_health)
    select game."gameId", game."lastId", "occurredAtMs", "upAtMs", "downAtMs", "containerId", "containerSinceMs",
      "previousContainerId", "snapshotStatus", "snapshotHealth"
    from game, approved
    order by game."gameId"
    on conflict (game_id) do update set last_id = excluded.last_id, occurred_at_ms = excluded.occurred_at_ms,
      up_at_ms = excluded.up_at_ms, down_at_ms = excluded.down_at_ms, container_id = excluded.container_id,
      container_since_ms = excluded.container_since_ms,
      previous_container_id = excluded.previous_container_id, snapshot_status = excluded.snapshot_status,
      snapshot_health = excluded.snapshot_health
  ),
  outbox as (
    insert into sluice.lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
    select input.label, snapshot."gameId", "currentTurn", "runtimeStatus", "engineHealthSummary", "occurredAtMs"
    from approved, input, rows from (json_to_recordset(input.snapshots) as ("gameId" text, "currentTurn" integer,
      "runtimeStatus" text, "engineHealthSummary" text, "occurredAtMs" bigint)) with ordinality as snapshot
      ("gameId", "currentTurn", "runtimeStatus", "engineHealthSummary", "occurredAtMs", "index")
    order by "index"
    returning seq
  ),
  saved as (
    update sluice.stream_offset as stored set last_id = input."lastId", entries_read = input."entriesRead",
      fencing_token = input.token, updated_at = clock_timestamp(),
      -- A commit whose reply was lost is planned and made again, with the gap that it has counted.
      gap_entries = stored.gap_entries + case
        when stored.gap_after_id = input."gapAfterId" and stored.gap_before_id is not distinct from input."gapBeforeId"
          and (input."gapBeforeId" is not null or stored.entries_read = input."entriesRead")
        then 0 else input."gapEntries" end,
      gap_at = case when input."gapEntries" > 0 then clock_timestamp() else stored.gap_at end,
      gap_after_id = case when input."gapEntries" > 0 then input."gapAfterId" else stored.gap_after_id end,
      gap_before_id = case when input."gapEntries" > 0 then input."gapBeforeId" else stored.gap_before_id end
    from input, approved
    where stored.label = input.label
  )
  select "isHeld", conflicts::text, "firstSeq", "lastSeq"
  from verdict, (select min(seq)::float8 as "firstSeq", max(seq)::float8 as "lastSeq" from outbox) as written`,
];
