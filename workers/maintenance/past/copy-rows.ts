import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, Prisma } from '../../../shared/database.ts';
import { type Partition, quoteTable, transactionLimits } from '../../../shared/partition-catalog.ts';
import { holdStaging, oidOf, raw, type Staging, staging } from './staging.ts';

type Transaction = Pick<Database, '$queryRaw' | '$executeRaw'>;

/** Bytes that a statement copies, as the partition has them on the average. */
const batchBytes = 4 * 1_048_576;
const pageBytes = 8_192;

/** The server rests for as long as half a batch took, and at least so many ms. */
const pauseMs = 10;

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
 * @throws StagingLost
 */
export async function copyRows(
  database: Database,
  options: {
    catchAll: Partition;
    columns: string;
    made: Staging;
    signal: AbortSignal;
    /** before each batch; throws when this process has lost its turn */
    holdTurn(): Promise<void>;
    onBatch(progress: CopyProgress): void;
  },
): Promise<number | null> {
  const { catchAll, made, signal, holdTurn, onBatch } = options;
  const columns = raw(options.columns);
  const [size] = await database.$queryRaw<{ heap: number; total: number }[]>(
    Prisma.sql`select pg_relation_size(oid)::float8 as heap, pg_table_size(oid)::float8 as total from pg_class where oid = ${oidOf(catchAll)}`,
  );
  const { heap, total } = size ?? { heap: 0, total: 0 };
  const pages = Math.ceil(heap / pageBytes);
  const step = Math.max(1, Math.floor((batchBytes / pageBytes) * (heap / Math.max(total, 1))));
  let rows = 0;
  for (let page = 0; page < pages; page += step) {
    if (signal.aborted) return null;
    const sinceMs = performance.now();
    await holdTurn();
    rows += await database.$transaction(async (transaction) => {
      await holdStaging(transaction, made);
      return transaction.$executeRaw(
        Prisma.sql`insert into ${raw(`sluice.${staging.all}`)} (${columns}) select ${columns} from ${quoteTable(catchAll)}
          where ctid >= ${`(${page},0)`}::tid and ctid < ${`(${page + step},0)`}::tid on conflict do nothing`,
      );
    }, batchLimits);
    onBatch({ rows, bytes: Math.min(1, (page + step) / pages) * total, ofBytes: total });
    const restMs = Math.max(pauseMs, (performance.now() - sinceMs) / 2);
    await sleep(restMs, undefined, { signal }).catch(() => undefined);
  }
  return rows;
}

/**
 * Makes the copies of rows that came, changed or went since they were copied as the rows are now. Everything in it sees the
 * same state; what comes later is noted again.
 *
 * @throws StagingLost
 * @returns when its changes became visible: its transaction id and the time, by the server
 */
export async function catchUp(
  database: Database,
  options: { catchAll: Partition; columns: string; made: Staging; statementMs: number },
): Promise<{ xid: string; at: Date }> {
  const { catchAll, columns, made, statementMs } = options;
  return database.$transaction(
    async (transaction) => {
      // A plan that reads a whole table is never right here, and the statistics of these tables say nothing yet.
      await transaction.$queryRaw`select set_config('statement_timeout', ${`${statementMs}ms`}, true),
        set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
        set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`;
      await holdStaging(transaction, made);
      const [all, changes] = [raw(`sluice.${staging.all}`), raw(`sluice.${staging.changes}`)];
      await transaction.$executeRaw(
        Prisma.sql`delete from ${all} as copy using ${changes} as change
          where copy.id = change.id and copy.recorded_at = change.recorded_at`,
      );
      await transaction.$executeRaw(
        Prisma.sql`insert into ${all} (${raw(columns)}) select ${raw(columns)}
          from (select distinct id, recorded_at from ${changes}) as change join ${quoteTable(catchAll)} using (id, recorded_at)`,
      );
      await transaction.$executeRaw(Prisma.sql`delete from ${changes}`);
      const [mark] = await transaction.$queryRaw<{ xid: string; at: Date }[]>`
        select (pg_current_xact_id()::text::numeric % 4294967296)::text as xid, clock_timestamp() as at`;
      if (mark === undefined) throw new Error('the database does not tell its time');
      return mark;
    },
    { ...transactionLimits, isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead },
  );
}
