-- "outcome" told names of more than 63 characters from others of the same beginning by md5(), which servers in FIPS mode
-- refuse: one such name was enough for a whole batch to fail. Now by half of a SHA-256, which every build has.
-- Text becomes bytes by decode(), whose escape is the backslash: convert_to() is not immutable, as its conversion could be
-- replaced. Before PostgreSQL 17 an expression cannot be changed, so the column is made anew, and its index with it.
-- This writes the table anew.
ALTER TABLE "strategy_execution_log"
    DROP COLUMN "outcome",
    ADD COLUMN "outcome" TEXT GENERATED ALWAYS AS (
        left(CASE WHEN "status" = 'ok' THEN "case_name" ELSE "error_code" END, 63)
        || CASE WHEN length(CASE WHEN "status" = 'ok' THEN "case_name" ELSE "error_code" END) > 63
            THEN left(encode(sha256(decode(replace(CASE WHEN "status" = 'ok' THEN "case_name" ELSE "error_code" END, chr(92), repeat(chr(92), 2)), 'escape')), 'hex'), 32)
            ELSE '' END
    ) STORED;

CREATE INDEX "strategy_execution_log_strategy_id_recorded_at_idx" ON "strategy_execution_log"("strategy_id", "recorded_at")
    INCLUDE ("status", "outcome", "points", "duration_ms", "nodes_executed", "duration_bin", "weight");
