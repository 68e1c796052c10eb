-- The database that the epoch was made in, when all games were announced last, and whether they are to be announced again.
ALTER TABLE "stream_lease"
    ADD COLUMN "database_id" TEXT,
    ADD COLUMN "announced_at" TIMESTAMPTZ(3),
    ADD COLUMN "announcement_due" BOOLEAN NOT NULL DEFAULT false;
