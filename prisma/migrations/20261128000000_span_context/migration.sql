-- The span of OpenTelemetry that a record was made in. Columns that may be null and have no default: no row is read.
-- locks: access exclusive on request, strategy_execution_log
ALTER TABLE "request" ADD COLUMN "trace_id" TEXT COLLATE "C", ADD COLUMN "span_id" TEXT;

ALTER TABLE "strategy_execution_log" ADD COLUMN "trace_id" TEXT COLLATE "C", ADD COLUMN "span_id" TEXT;

-- A row without a span has no entry, so hosts without OpenTelemetry pay nothing for the index. Partitions to come have it from the
-- beginning. The maintenance role builds it on those that are there, beside inserts.
-- accepted: the parent has no rows of its own, and ON ONLY leaves its partitions alone
CREATE INDEX "strategy_execution_log_trace_id_idx" ON ONLY "strategy_execution_log"("trace_id", "recorded_at") WHERE "trace_id" IS NOT NULL;
