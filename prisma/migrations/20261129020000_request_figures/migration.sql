-- sluice: outside a transaction
-- Figures of requests are read from an index alone: rows are ten times as wide, because of their bodies. Names that are too long for an
-- entry of an index, with which a row could not be stored, are left to the rows themselves, which the second index finds. Both are
-- built beside inserts, and read the table once.
-- locks: share update exclusive on request
DROP INDEX CONCURRENTLY IF EXISTS sluice.request_figures_idx;

CREATE INDEX CONCURRENTLY request_figures_idx ON sluice.request (created_at)
    INCLUDE (state, model, provider, api, created_by, service_tier, response_status, response_stream, started_at, completed_at,
        failed_at, first_token_at, input_tokens, cached_tokens, output_tokens, reasoning_tokens)
    WHERE octet_length(model) + octet_length(created_by) + coalesce(octet_length(provider), 0) + coalesce(octet_length(api), 0) <= 1500;

DROP INDEX CONCURRENTLY IF EXISTS sluice.request_long_names_idx;

CREATE INDEX CONCURRENTLY request_long_names_idx ON sluice.request (created_at)
    WHERE octet_length(model) + octet_length(created_by) + coalesce(octet_length(provider), 0) + coalesce(octet_length(api), 0) > 1500;

-- An entry of an index is enough where its page is known to have no row that somebody may not see yet. A table without updates is
-- vacuumed for that once it has grown by a fifth; here by a fiftieth, which reads the new pages only.
ALTER TABLE sluice.request SET (autovacuum_vacuum_insert_scale_factor = 0.02);
