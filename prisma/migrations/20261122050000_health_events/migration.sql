-- How the runtime of each game is. Other services write to this table too.
CREATE TABLE "runtime_record" (
    "game_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "engine_health" TEXT NOT NULL DEFAULT '',
    "current_turn" INTEGER NOT NULL DEFAULT 0,
    "current_image_ref" TEXT NOT NULL DEFAULT '',
    "current_engine_version" TEXT NOT NULL DEFAULT '',
    "engine_endpoint" TEXT NOT NULL DEFAULT '',
    "turn_schedule" TEXT NOT NULL DEFAULT '',
    "next_generation_at" TIMESTAMPTZ(3),
    "skip_next_tick" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "stopped_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "runtime_record_pkey" PRIMARY KEY ("game_id"),
    CONSTRAINT "runtime_record_status_check" CHECK ("status" IN ('starting', 'running', 'generation_in_progress', 'generation_failed', 'stopped', 'engine_unreachable', 'finished')),
    CONSTRAINT "runtime_record_game_id_check" CHECK ("game_id" <> '')
);

CREATE INDEX "runtime_record_status_next_generation_at_idx" ON "runtime_record"("status", "next_generation_at");

-- It goes with its record: a game that is registered anew begins anew.
CREATE TABLE "health_event_watermark" (
    "game_id" TEXT NOT NULL,
    "last_id" TEXT NOT NULL,
    "occurred_at_ms" BIGINT NOT NULL,
    "up_at_ms" BIGINT,
    "down_at_ms" BIGINT,
    "container_id" TEXT,
    "container_since_ms" BIGINT,
    "previous_container_id" TEXT,
    "snapshot_status" TEXT,
    "snapshot_health" TEXT,

    CONSTRAINT "health_event_watermark_pkey" PRIMARY KEY ("game_id"),
    CONSTRAINT "health_event_watermark_game_id_fkey" FOREIGN KEY ("game_id") REFERENCES "runtime_record"("game_id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "stream_offset" (
    "label" TEXT NOT NULL,
    "last_id" TEXT NOT NULL,
    "entries_read" BIGINT,
    "fencing_token" BIGINT NOT NULL,
    "gap_entries" BIGINT NOT NULL DEFAULT 0,
    "gap_at" TIMESTAMPTZ(3),
    "gap_after_id" TEXT,
    "gap_before_id" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stream_offset_pkey" PRIMARY KEY ("label"),
    CONSTRAINT "stream_offset_last_id_check" CHECK ("last_id" ~ '^[0-9]{1,20}-[0-9]{1,20}$')
);

CREATE TABLE "stream_lease" (
    "label" TEXT NOT NULL,
    "holder" TEXT NOT NULL,
    "token" BIGINT NOT NULL,
    "acquired_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "epoch" UUID NOT NULL DEFAULT gen_random_uuid(),
    "outbox_floor" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "stream_lease_pkey" PRIMARY KEY ("label")
);

CREATE TABLE "lobby_outbox" (
    "seq" BIGSERIAL NOT NULL,
    "label" TEXT NOT NULL,
    "game_id" TEXT NOT NULL,
    "current_turn" INTEGER NOT NULL,
    "runtime_status" TEXT NOT NULL,
    "engine_health_summary" TEXT NOT NULL,
    "occurred_at_ms" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "lobby_outbox_pkey" PRIMARY KEY ("label", "seq")
);
