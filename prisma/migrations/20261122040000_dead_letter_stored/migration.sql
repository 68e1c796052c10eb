-- stored: a worker has confirmed that what was replayed is in its table
ALTER TABLE "dead_letter" DROP CONSTRAINT "dead_letter_state_check";
ALTER TABLE "dead_letter" ADD CONSTRAINT "dead_letter_state_check" CHECK ("state" IN ('open', 'replayed', 'stored', 'discarded'));

-- The key is the id of a record and a hash. By bytes, the index finds all letters of one id as a range
ALTER TABLE "dead_letter" ALTER COLUMN "record_key" TYPE TEXT COLLATE "C";
