-- What the bodies of a request say, and prices of tokens: see docs/adr/0043. Columns that may be null and have no default: no row is
-- read. Maintenance fills in the rows that are older than the columns.
-- locks: access exclusive on request
ALTER TABLE "request" ADD COLUMN "provider" TEXT, ADD COLUMN "api" TEXT, ADD COLUMN "input_tokens" BIGINT,
    ADD COLUMN "cached_tokens" BIGINT, ADD COLUMN "output_tokens" BIGINT, ADD COLUMN "reasoning_tokens" BIGINT,
    ADD COLUMN "finish_reason" TEXT, ADD COLUMN "tool_calls" INTEGER, ADD COLUMN "first_token_at" TIMESTAMPTZ(3),
    ADD COLUMN "facts_version" SMALLINT;

CREATE TABLE "price" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "provider" TEXT,
    "model" TEXT NOT NULL,
    "valid_from" TIMESTAMPTZ(3) NOT NULL,
    "valid_until" TIMESTAMPTZ(3),
    "currency" TEXT NOT NULL,
    "input" NUMERIC(20, 10),
    "cached_input" NUMERIC(20, 10),
    "output" NUMERIC(20, 10),
    "source" TEXT NOT NULL,
    "imported_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "price_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "price_model_check" CHECK ("model" <> '' AND strpos(left("model", -1), '*') = 0),
    CONSTRAINT "price_valid_check" CHECK ("valid_until" > "valid_from"),
    CONSTRAINT "price_currency_check" CHECK ("currency" ~ '^[A-Z]{3}$'),
    CONSTRAINT "price_amounts_check" CHECK ("input" >= 0 AND "cached_input" >= 0 AND "output" >= 0
        AND 'NaN' NOT IN ("input", "cached_input", "output"))
);

-- An import replaces the price that has the same source, provider, model and beginning.
CREATE UNIQUE INDEX "price_source_provider_model_valid_from_key" ON "price"("source", coalesce("provider", ''), "model", "valid_from");
