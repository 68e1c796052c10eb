import { pause } from '../../../shared/platform/deadline.ts';
import { type Database, Prisma, type Transaction } from '../../../shared/platform/postgres/database.ts';
import { holdTable } from '../../../shared/platform/postgres/held-table.ts';
import {
  type Partition,
  quoteTable,
  transactionLimits,
} from '../../../shared/platform/postgres/partitions/partition-catalog.ts';
import type { Move } from './catch-up.ts';
import { oidOf, raw, staging } from './staging.ts';

/** Bytes that a statement copies, as the partition has them on the average. */
const batchBytes = 4 * 1_048_576;

/** The server rests for as long as half a batch took, and at least so many ms. */
const pauseMs = 10;

/** Changes are worked off after so many batches: at the end there would be more than can be caught up with. */
const batchesBetween = 4;

/** A statement of a batch has as long as its pool gives it. */
const batchLimits = { ...transactionLimits, timeout: 3_600_000 };

/** What was copied, of what there is. */
export interface CopyProgress {
  rows: number;
  bytes: number;
  ofBytes: number;
}

/** The columns that can be written, as SQL. The server computes the others. */
export async function readColumns(database: Transaction, catchAll: Partition): Promise<string> {
  const [columns] = await database.$queryRaw<{ names: string }[]>(
    Prisma.sql`select string_agg(quote_ident(attname), ', ' order by attnum) as names from pg_attribute
      where attrelid = ${oidOf(catchAll)} and attnum > 0 and not attisdropped and attgenerated = ''`,
  );
  return columns?.names ?? '';
}

/**
 * Copies all rows of the DEFAULT partition to where they belong, page by page, a transaction a batch. They stay where they are,
 * and are read there.
 *
 * @returns the rows that were copied; null when `signal` was aborted
 * @throws TableMoved
 */
export async function copyRows(
  database: Database,
  move: Move,
  options: {
    signal: AbortSignal;
    /** before each batch; throws when this process has lost its turn */
    holdTurn(): Promise<void>;
    /** between two batches now and then: works off what was noted so far */
    workOff(): Promise<void>;
    onBatch(progress: CopyProgress): void;
  },
): Promise<number | null> {
  const { catchAll, made } = move;
  const { signal, holdTurn, workOff, onBatch } = options;
  const columns = raw(move.columns);
  const [size] = await database.$queryRaw<{ heap: number; total: number; page: number }[]>(
    Prisma.sql`select pg_relation_size(oid)::float8 as heap, pg_table_size(oid)::float8 as total,
      current_setting('block_size')::float8 as page from pg_class where oid = ${oidOf(catchAll)}`,
  );
  const { heap, total, page: pageBytes } = size ?? { heap: 0, total: 0, page: 8_192 };
  const pages = Math.ceil(heap / pageBytes);
  const step = Math.max(1, Math.floor((batchBytes / pageBytes) * (heap / Math.max(total, 1))));
  let rows = 0;
  let batches = 0;
  for (let page = 0; page < pages; page += step) {
    if (signal.aborted) return null;
    if (batches > 0 && batches % batchesBetween === 0) await workOff();
    batches += 1;
    const sinceMs = performance.now();
    await holdTurn();
    rows += await database.$transaction(async (transaction) => {
      await holdTable(transaction, made.all, 'row exclusive mode');
      return transaction.$executeRaw(
        Prisma.sql`insert into ${raw(`sluice.${staging.all}`)} (${columns}) select ${columns} from ${quoteTable(catchAll)}
          where ctid >= ${`(${page},0)`}::tid and ctid < ${`(${page + step},0)`}::tid on conflict do nothing`,
      );
    }, batchLimits);
    onBatch({ rows, bytes: Math.min(1, (page + step) / pages) * total, ofBytes: total });
    const restMs = Math.max(pauseMs, (performance.now() - sinceMs) / 2);
    await pause(restMs, signal);
  }
  return rows;
}
