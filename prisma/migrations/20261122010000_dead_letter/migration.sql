CREATE TABLE "dead_letter" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "queue" TEXT NOT NULL,
    "record_key" TEXT NOT NULL,
    "contract_version" INTEGER,
    "payload" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "signature" TEXT NOT NULL,
    "job_id" TEXT,
    "producer" TEXT,
    "first_seen" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "state" TEXT NOT NULL DEFAULT 'open',
    "state_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "replays" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "dead_letter_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "dead_letter_state_check" CHECK ("state" IN ('open', 'replayed', 'discarded'))
);

CREATE UNIQUE INDEX "dead_letter_queue_record_key_key" ON "dead_letter"("queue", "record_key");

CREATE INDEX "dead_letter_state_signature_last_seen_idx" ON "dead_letter"("state", "signature", "last_seen" DESC);
