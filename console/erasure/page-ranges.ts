import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, Prisma } from '../../shared/database.ts';

/** A table with rows of its own, so none that is partitioned. */
export interface PlainTable {
  schema: string;
  name: string;
}

/** Pages of one statement. A page may have a hundred rows with traces that are kept elsewhere, or five with theirs in them. */
const pagesAtOnce = { first: 16, least: 1, most: 256 };

/** A statement has so long; by the one before it the next one gets fewer pages, or more. */
const wantedMs = 200;

/** As the purge does it: others get half of the time. */
const minPauseMs = 5;

/** How many pages a table has now. */
export async function countPages(database: Database, { schema, name }: PlainTable): Promise<number> {
  const [row] = await database.$queryRaw<{ pages: number }[]>(Prisma.sql`
    select (pg_relation_size(class.oid) / current_setting('block_size')::bigint)::float8 as pages
    from pg_class as class join pg_namespace as space on space.oid = class.relnamespace
    where class.relname = ${name} and space.nspname = ${schema}`);
  return row?.pages ?? 0;
}

/**
 * Goes through all rows of a table in the order in which they lie there, some pages at a time, each range in a statement and
 * a transaction of its own. It needs no index: one on whatever may name a person would cost at each insert, for something
 * that is rare and has to read every row all the same. Pages that come
 * meanwhile are left out: rows that it changes go there, too, and it would follow them without end.
 *
 * @param options.work gets the range as a condition on `ctid`
 * @returns whether it came to the end before `signal` told it to stop
 */
export async function inPageRanges(
  database: Database,
  table: PlainTable,
  {
    signal,
    work,
    onPages,
  }: {
    signal: AbortSignal;
    work(range: Prisma.Sql): Promise<void>;
    onPages(pages: number): void;
  },
): Promise<boolean> {
  const pages = await countPages(database, table);
  let size = pagesAtOnce.first;
  for (let from = 0; from < pages; ) {
    if (signal.aborted) return false;
    const startedAt = performance.now();
    const to = from + size;
    await work(Prisma.raw(`ctid >= '(${from},0)'::tid and ctid < '(${to},0)'::tid`));
    const tookMs = performance.now() - startedAt;
    onPages(Math.min(to, pages) - from);
    from = to;
    size = nextSize(size, tookMs);
    await sleep(Math.max(minPauseMs, tookMs), undefined, { signal }).catch(() => undefined);
  }
  return true;
}

function nextSize(size: number, tookMs: number): number {
  const wanted = tookMs > wantedMs ? size / 2 : tookMs < wantedMs / 2 ? size * 2 : size;
  return Math.max(pagesAtOnce.least, Math.min(pagesAtOnce.most, Math.floor(wanted)));
}
