-- sluice: outside a transaction
-- See the migration before it. It reads the table once, beside inserts.
-- locks: share update exclusive on request
DROP INDEX CONCURRENTLY IF EXISTS sluice.request_trace_id_idx;

CREATE INDEX CONCURRENTLY request_trace_id_idx ON sluice.request (trace_id, created_at) WHERE trace_id IS NOT NULL;
