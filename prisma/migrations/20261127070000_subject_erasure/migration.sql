-- Whose executions were erased: what was recorded until then and is still on its way is not stored any more. A new table,
-- which locks no other one.
-- locks: none
CREATE TABLE "subject_erasure" (
    "kind" TEXT NOT NULL,
    "subject_hash" BYTEA NOT NULL,
    "erased_before" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "subject_erasure_pkey" PRIMARY KEY ("kind", "subject_hash"),
    CONSTRAINT "subject_erasure_kind_check" CHECK ("kind" IN ('user', 'realm'))
);
