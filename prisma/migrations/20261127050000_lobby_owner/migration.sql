-- How often all games may be announced again, and whether they are to be.
ALTER TABLE "stream_lease"
    ADD COLUMN "database_id" TEXT,
    ADD COLUMN "announced_at" TIMESTAMPTZ(3),
    ADD COLUMN "announcement_due" BOOLEAN NOT NULL DEFAULT false;
