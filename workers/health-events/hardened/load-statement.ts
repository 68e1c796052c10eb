import type { JsonStatement } from '../../../shared/platform/postgres/database.ts';

/** Games as they are stored, with their watermarks. Its one parameter is a JSON list of ids; for the limit, see `commitStatement`. */
export const loadStatement = (games: number): JsonStatement => [
  `select record.game_id, record.xmin::text, record.status, record.engine_health, record.current_turn,
    watermark.last_id, watermark.occurred_at_ms::float8, watermark.up_at_ms::float8, watermark.down_at_ms::float8,
    watermark.container_id, watermark.container_since_ms::float8, watermark.previous_container_id,
    watermark.snapshot_status, watermark.snapshot_health
  from sluice.runtime_record as record left join sluice.health_event_watermark as watermark using (game_id)
  where record.game_id in (select value from json_array_elements_text(`,
  `::json) limit ${games})`,
];
