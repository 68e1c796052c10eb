-- What the console asks of executions is answered from one index, without the rows themselves, which are ten times as
-- large and lie among those of other strategies.

-- What an ok run matched, or what a failure failed with. Bounded, so that it fits into an index entry beside the longest
-- strategy id. A name of more than 63 characters is told from others of the same beginning by its hash.
-- Adding it writes the table anew.
ALTER TABLE "strategy_execution_log" ADD COLUMN "outcome" TEXT GENERATED ALWAYS AS (
    left(CASE WHEN "status" = 'ok' THEN "case_name" ELSE "error_code" END, 63)
    || CASE WHEN length(CASE WHEN "status" = 'ok' THEN "case_name" ELSE "error_code" END) > 63
        THEN md5(CASE WHEN "status" = 'ok' THEN "case_name" ELSE "error_code" END) ELSE '' END
) STORED;

-- Ascending, where it was descending: rows come in the order of their time, and PostgreSQL fills the pages of an index
-- that grows at its end, but leaves them half empty when it grows at its beginning. Read backwards, the order is the same.
DROP INDEX "strategy_execution_log_strategy_id_recorded_at_idx";

CREATE INDEX "strategy_execution_log_strategy_id_recorded_at_idx" ON "strategy_execution_log"("strategy_id", "recorded_at")
    INCLUDE ("status", "outcome", "points", "duration_ms", "nodes_executed", "sampled", "sample_rate");

-- The newest failures are what is asked for most when something is wrong. The status comes last: an entry of another one is
-- passed over without a look at its row.
DROP INDEX "strategy_execution_log_strategy_id_status_recorded_at_idx";

CREATE INDEX "strategy_execution_log_failed_idx" ON "strategy_execution_log"("strategy_id", "recorded_at", "status") WHERE "status" <> 'ok';

-- Who analyzes the whole table, which autovacuum does not, would teach the planner that there are as many times as rows,
-- and so as many buckets of time: it would group a million rows on one core, as it cannot know that there are few.
ALTER TABLE "strategy_execution_log" ALTER COLUMN "recorded_at" SET (n_distinct_inherited = 200);
ALTER TABLE "strategy_execution_log" ALTER COLUMN "duration_ms" SET (n_distinct_inherited = 200);
