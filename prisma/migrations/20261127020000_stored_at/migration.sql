-- When a row was stored, by the database's clock, whatever its record says of itself. It is never updated, and null where the
-- row is older than the column. A column without a default is added without a look at the rows, and what rows get from now on
-- is set after that: a default at once would make the time of this migration the age of every old row.
ALTER TABLE "request" ADD COLUMN "stored_at" TIMESTAMPTZ(3);
ALTER TABLE "request" ALTER COLUMN "stored_at" SET DEFAULT CURRENT_TIMESTAMP;

ALTER TABLE "strategy_execution_log" ADD COLUMN "stored_at" TIMESTAMPTZ(3);
ALTER TABLE "strategy_execution_log" ALTER COLUMN "stored_at" SET DEFAULT CURRENT_TIMESTAMP;

-- Rows from a time that was still to come when they were stored: there are few. They would not be due for as long, so they go
-- by their storage alone, which no other index has.
CREATE INDEX "request_ahead_idx" ON "request"((coalesce("stored_at", "updated_at"))) WHERE "created_at" > coalesce("stored_at", "updated_at");
