-- Range-partitioned by day from the first row: retention drops whole partitions. Daily partitions are made ahead of time
-- by the workers (shared/partitions.ts). What fits none of them, from a producer with a wrong clock, lands in the DEFAULT
-- one. (The engine splits scripts at every semicolon, in comments too, so there is none here.)
CREATE TABLE "strategy_execution_log" (
    "id" UUID NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "strategy_id" TEXT NOT NULL,
    "strategy_version" INTEGER NOT NULL,
    "strategy_type" TEXT NOT NULL,
    "realm_id" TEXT,
    "external_game_id" TEXT,
    "external_task_id" TEXT,
    "external_user_id" TEXT,
    "status" TEXT NOT NULL,
    "error_code" TEXT,
    "error_message" TEXT,
    "failed_node_id" TEXT,
    "points" DOUBLE PRECISION,
    "case_name" TEXT,
    "duration_ms" DOUBLE PRECISION NOT NULL,
    "nodes_executed" INTEGER NOT NULL,
    "trace" JSONB,
    "trace_length" INTEGER,
    "sampled" BOOLEAN NOT NULL,
    "sample_rate" DOUBLE PRECISION NOT NULL,
    "parent_strategy_id" TEXT,
    "ast_hash" TEXT,
    "input" JSONB,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "notes" TEXT,

    CONSTRAINT "strategy_execution_log_pkey" PRIMARY KEY ("id", "recorded_at"),
    CONSTRAINT "strategy_execution_log_status_check" CHECK ("status" IN ('ok', 'error', 'timeout', 'limit', 'cancelled')),
    CONSTRAINT "strategy_execution_log_sample_rate_check" CHECK ("sample_rate" > 0 AND "sample_rate" <= 1)
) PARTITION BY RANGE ("recorded_at");

CREATE INDEX "strategy_execution_log_strategy_id_recorded_at_idx" ON "strategy_execution_log"("strategy_id", "recorded_at" DESC);

CREATE INDEX "strategy_execution_log_strategy_id_status_recorded_at_idx" ON "strategy_execution_log"("strategy_id", "status", "recorded_at" DESC);

CREATE INDEX "strategy_execution_log_realm_id_recorded_at_idx" ON "strategy_execution_log"("realm_id", "recorded_at" DESC);

CREATE TABLE "strategy_execution_log_default" PARTITION OF "strategy_execution_log" DEFAULT;
