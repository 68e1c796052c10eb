-- The ledger: what became of the records of each chunk, and what producers say of theirs. New tables, which lock no other one.
-- locks: none

-- Partitioned by day on the chunk's first minute, which its producer fixes: a chunk delivered twice meets its own row. Retention
-- drops whole partitions. What fits none, from a producer with a wrong clock, lands in the DEFAULT one.
CREATE TABLE "ledger_chunk" (
    "day_at" TIMESTAMPTZ(3) NOT NULL,
    "producer" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "life" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "before" BIGINT NOT NULL,
    "total" INTEGER NOT NULL,
    "parts" JSONB NOT NULL,
    "runs" JSONB,
    "stored" INTEGER NOT NULL,
    "seen" INTEGER NOT NULL,
    "dead" INTEGER NOT NULL DEFAULT 0,
    "stored_places" BIT VARYING NOT NULL,
    "seen_places" BIT VARYING NOT NULL,
    "dead_places" BIT VARYING NOT NULL,
    "problem" TEXT,
    "first_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "ledger_chunk_pkey" PRIMARY KEY ("producer", "epoch", "life", "queue", "seq", "day_at")
) PARTITION BY RANGE ("day_at");

CREATE INDEX "ledger_chunk_day_at_idx" ON "ledger_chunk"("day_at");

CREATE TABLE "ledger_chunk_default" PARTITION OF "ledger_chunk" DEFAULT;

CREATE TABLE "ledger_life" (
    "producer" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "life" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "report" BIGINT NOT NULL,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lag_ms" BIGINT NOT NULL,
    "least_lag_ms" BIGINT NOT NULL,
    "is_final" BOOLEAN NOT NULL,
    "last_seq" BIGINT NOT NULL,
    "chunked_records" BIGINT NOT NULL,
    "waiting_records" BIGINT NOT NULL,
    "unacknowledged" JSONB NOT NULL,
    "spilled_records" BIGINT NOT NULL,
    "taken_over_records" BIGINT NOT NULL,
    "recorded" BIGINT NOT NULL,
    "sampled_out" BIGINT NOT NULL,
    "disabled" BIGINT NOT NULL,
    "dropped" BIGINT NOT NULL,
    "dropped_by" JSONB NOT NULL,
    "refused" BIGINT NOT NULL,
    "chunked" BIGINT NOT NULL,
    "sent" BIGINT NOT NULL,
    "handed" BIGINT NOT NULL,

    CONSTRAINT "ledger_life_pkey" PRIMARY KEY ("producer", "epoch", "life", "queue")
);

CREATE INDEX "ledger_life_last_at_idx" ON "ledger_life"("last_at");

CREATE TABLE "ledger_minute" (
    "producer" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "life" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "minute_at" TIMESTAMPTZ(3) NOT NULL,
    "realm" TEXT NOT NULL,
    "recorded" BIGINT NOT NULL,
    "sampled_out" BIGINT NOT NULL,
    "disabled" BIGINT NOT NULL,
    "dropped" BIGINT NOT NULL,
    "dropped_by" JSONB NOT NULL,
    "refused" BIGINT NOT NULL,
    "chunked" BIGINT NOT NULL,
    "sent" BIGINT NOT NULL,
    "handed" BIGINT NOT NULL,
    "stored_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_minute_pkey" PRIMARY KEY ("producer", "epoch", "life", "queue", "minute_at", "realm")
);

CREATE INDEX "ledger_minute_minute_at_idx" ON "ledger_minute"("minute_at");
