CREATE TABLE "request_template" (
    "id" UUID NOT NULL,
    "method" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "body_encoding" TEXT NOT NULL,
    "body_byte_size" BIGINT NOT NULL,
    "body_cut" BOOLEAN NOT NULL,
    "api_key_hash" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "request_template_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "request_template_body_encoding_check" CHECK ("body_encoding" IN ('utf8', 'base64'))
);

CREATE TABLE "request" (
    "id" UUID NOT NULL,
    "template_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "service_tier" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "daemon_id" UUID,
    "response_status" SMALLINT,
    "response_body" TEXT,
    "response_encoding" TEXT,
    "response_size" BIGINT NOT NULL DEFAULT 0,
    "response_cut" BOOLEAN NOT NULL DEFAULT false,
    "response_stream" BOOLEAN NOT NULL DEFAULT false,
    "response_incomplete" BOOLEAN NOT NULL DEFAULT false,
    "error" TEXT,
    "notes" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "claimed_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "completed_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),
    "canceled_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "request_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "request_state_check" CHECK ("state" IN ('pending', 'claimed', 'processing', 'completed', 'failed', 'canceled')),
    CONSTRAINT "request_service_tier_check" CHECK ("service_tier" IN ('auto', 'default', 'flex', 'priority', 'background')),
    CONSTRAINT "request_response_encoding_check" CHECK ("response_encoding" IN ('utf8', 'base64')),
    CONSTRAINT "request_created_by_check" CHECK (btrim("created_by") <> ''),
    CONSTRAINT "request_pending_check" CHECK ("state" <> 'pending' OR ("daemon_id" IS NULL AND "claimed_at" IS NULL AND "started_at" IS NULL)),
    CONSTRAINT "request_claimed_check" CHECK ("state" <> 'claimed' OR ("daemon_id" IS NOT NULL AND "claimed_at" IS NOT NULL AND "started_at" IS NULL)),
    CONSTRAINT "request_processing_check" CHECK ("state" <> 'processing' OR ("daemon_id" IS NOT NULL AND "claimed_at" IS NOT NULL AND "started_at" IS NOT NULL)),
    CONSTRAINT "request_completed_check" CHECK ("state" <> 'completed' OR ("response_status" IS NOT NULL AND "response_body" IS NOT NULL AND "completed_at" IS NOT NULL)),
    CONSTRAINT "request_failed_check" CHECK ("state" <> 'failed' OR ("error" IS NOT NULL AND "failed_at" IS NOT NULL)),
    CONSTRAINT "request_canceled_check" CHECK ("state" <> 'canceled' OR "canceled_at" IS NOT NULL)
);

-- Which of two rows is older is decided by the arrival, and by the id where two arrived in one millisecond.
CREATE INDEX "request_created_by_created_at_id_idx" ON "request"("created_by", "created_at" DESC, "id" DESC);

CREATE INDEX "request_created_at_id_idx" ON "request"("created_at" DESC, "id" DESC);

CREATE INDEX "request_model_created_at_id_idx" ON "request"("model", "created_at" DESC, "id" DESC);

-- Lists begin with what still runs, state by state, which is little.
CREATE INDEX "request_active_idx" ON "request"("state", "created_at" DESC, "id" DESC) WHERE "state" IN ('pending', 'claimed', 'processing');

-- The newest failures are what is asked for most when something is wrong.
CREATE INDEX "request_failed_idx" ON "request"("created_at" DESC, "id" DESC) WHERE "state" = 'failed';

CREATE UNIQUE INDEX "request_template_id_key" ON "request"("template_id");

ALTER TABLE "request" ADD CONSTRAINT "request_template_id_fkey" FOREIGN KEY ("template_id") REFERENCES "request_template"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

CREATE TABLE "request_tombstone" (
    "id" UUID NOT NULL,
    "deleted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "request_tombstone_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "request_tombstone_deleted_at_idx" ON "request_tombstone"("deleted_at");

CREATE TABLE "creator_erasure" (
    "creator_hash" BYTEA NOT NULL,
    "erased_before" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "creator_erasure_pkey" PRIMARY KEY ("creator_hash")
);
