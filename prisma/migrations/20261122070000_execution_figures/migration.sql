-- What every figure of executions needs of a row is computed when the row is written, once, and not a million times when it
-- is asked for. Adding the columns writes the table anew.

-- "weight": how many runs the row stands for. At most a million: a smaller sample rate than that is a mistake, and its square
-- would break every answer that it is in.

-- "duration_bin": the bin of the histogram, 0 to 12, times 1,000, and within it a fine bin: 20 to a factor of e, so that the
-- highest value of one is 5 % above its lowest. Those of 0.0000003 ms and less are one, zero and less another. Null for
-- what is no duration: NaN, infinities and what is beyond 1e15 ms. An edge belongs to the bin below it: hence the signs.
ALTER TABLE "strategy_execution_log"
    ADD COLUMN "weight" DOUBLE PRECISION NOT NULL GENERATED ALWAYS AS (
        CASE WHEN "sampled" THEN 1 / greatest("sample_rate", 1e-6) ELSE 1 END
    ) STORED,
    ADD COLUMN "duration_bin" SMALLINT GENERATED ALWAYS AS (
        CASE WHEN abs("duration_ms") < 1e15 THEN
            (12 - width_bucket(-"duration_ms", ARRAY[-5000, -2500, -1000, -500, -250, -200, -150, -100, -50, -25, -10, -5]::DOUBLE PRECISION[])) * 1000
            + CASE WHEN "duration_ms" > 0 THEN greatest(floor(ln("duration_ms") * 20), -300)::INTEGER + 301 ELSE 0 END
        END
    ) STORED;

-- The weight takes the place of what it is made of.
DROP INDEX "strategy_execution_log_strategy_id_recorded_at_idx";

CREATE INDEX "strategy_execution_log_strategy_id_recorded_at_idx" ON "strategy_execution_log"("strategy_id", "recorded_at")
    INCLUDE ("status", "outcome", "points", "duration_ms", "nodes_executed", "duration_bin", "weight");
