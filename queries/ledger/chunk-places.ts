import { Prisma } from '../../shared/platform/postgres/database.ts';

/**
 * The realms and minutes of a chunk with the records that are settled: `part`, `records`, `stored`, `seen` and `dead`. Its places say
 * which record is which. A chunk whose records all had the same fate has no run lengths, and needs none.
 */
export const placesOfChunk = Prisma.sql`
  select part, records, bit_count(substring(stored_places from start for records))::int as stored,
    bit_count(substring(seen_places from start for records))::int as seen,
    bit_count(substring(dead_places from start for records) & ~substring(seen_places from start for records))::int as dead
  from (
    select part, (part->>2)::int as records,
      (sum((part->>2)::int) over (order by n) - (part->>2)::int)::int + 1 as start
    from jsonb_array_elements(coalesce(nullif(runs, '[]'), parts)) with ordinality as listed (part, n)
  ) as placed`;
