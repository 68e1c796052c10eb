-- sluice: outside a transaction
-- The ended requests whose bodies no reader has looked at: those that are older than the columns, and those that a worker of an older
-- version has ended. A worker of this version adds none, so the index is empty once maintenance is through. It reads the table
-- once, beside inserts.
-- locks: share update exclusive on request
DROP INDEX CONCURRENTLY IF EXISTS sluice.request_unread_idx;

CREATE INDEX CONCURRENTLY request_unread_idx ON sluice.request (created_at DESC, id DESC)
    WHERE facts_version IS NULL AND state IN ('completed', 'failed', 'canceled');
