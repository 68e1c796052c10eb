-- What people call strategies and creators. A new table, which locks no other one.
-- locks: none
CREATE TABLE "display_name" (
    "kind" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "display_name_pkey" PRIMARY KEY ("kind", "id"),
    CONSTRAINT "display_name_kind_check" CHECK ("kind" IN ('strategy', 'creator')),
    CONSTRAINT "display_name_length_check" CHECK (char_length("id") BETWEEN 1 AND 512 AND char_length("name") BETWEEN 1 AND 200)
);
