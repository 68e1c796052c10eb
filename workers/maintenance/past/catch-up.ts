import { type Database, Prisma } from '../../../shared/platform/postgres/database.ts';
import { holdTable } from '../../../shared/platform/postgres/held-table.ts';
import {
  type Partition,
  quoteTable,
  transactionLimits,
} from '../../../shared/platform/postgres/partitions/partition-catalog.ts';
import { raw, type Staging, staging } from './staging.ts';

/** What a move copies, and to where. */
export interface Move {
  catchAll: Partition;
  /** as SQL */
  columns: string;
  made: Staging;
}

/** Notes that one transaction works off, so that none takes long. */
export const notesAtOnce = 5_000;

/** So few may be left to the exchange, in which inserts wait. */
const fewNotes = 1_000;
const statementMs = 15_000;

/** A process that is frozen over it keeps the notes from nobody for longer. */
const maxIdleMs = 15_000;

/**
 * Works off the notes of changes, some thousand in a transaction, until few are left.
 *
 * @param options.most notes of a transaction. @default 5000
 * @param options.forMs after which it gives up
 * @returns whether few are left; false when changes came as fast, or `signal` was aborted
 * @throws TableMoved when another process has begun to move rows, or what the database said
 */
export async function workOff(
  database: Database,
  move: Move,
  options: { most?: number; forMs: number; signal: AbortSignal; holdTurn(): Promise<void> },
): Promise<boolean> {
  const { most = notesAtOnce, forMs, signal, holdTurn } = options;
  for (const untilMs = performance.now() + forMs; ; ) {
    await holdTurn();
    const { notes } = await catchUp(database, move, { statementMs, most });
    if (notes < Math.min(most, fewNotes)) return true;
    if (signal.aborted || performance.now() > untilMs) return false;
  }
}

/**
 * Makes the copies of rows that came, changed or went since they were copied as the rows are now. Everything in it sees the
 * same state; what comes later is noted again.
 *
 * @param options.most notes that are worked off. @default all
 * @throws TableMoved
 * @returns how many notes there were, and when the changes became visible: the transaction's id and the time, by the server
 */
export async function catchUp(
  database: Database,
  { catchAll, columns, made }: Move,
  { statementMs, most = null }: { statementMs: number; most?: number | null },
): Promise<{ notes: number; xid: string; at: Date }> {
  return database.$transaction(
    async (transaction) => {
      // A plan that reads a whole table is never right here, and the statistics of these tables say nothing yet.
      await transaction.$queryRaw`select set_config('statement_timeout', ${`${statementMs}ms`}, true),
        set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
        set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
        set_config('idle_in_transaction_session_timeout', ${`${maxIdleMs}ms`}, true)`;
      await holdTable(transaction, made.all, 'row exclusive mode');
      const [all, changes] = [raw(`sluice.${staging.all}`), raw(`sluice.${staging.changes}`)];
      const [first] = await transaction.$queryRaw<{ last: string | null }[]>(
        Prisma.sql`select max(n)::text as last from (select n from ${changes} order by n limit ${most}::bigint) as first`,
      );
      const isAmongFirst = Prisma.sql`n <= ${first?.last ?? null}::bigint`;
      await transaction.$executeRaw(
        Prisma.sql`delete from ${all} as copy using ${changes} as change
          where ${isAmongFirst} and copy.id = change.id and copy.recorded_at = change.recorded_at`,
      );
      await transaction.$executeRaw(
        Prisma.sql`insert into ${all} (${raw(columns)}) select ${raw(columns)}
          from (select distinct id, recorded_at from ${changes} where ${isAmongFirst}) as change
          join ${quoteTable(catchAll)} using (id, recorded_at)`,
      );
      const notes = await transaction.$executeRaw(Prisma.sql`delete from ${changes} where ${isAmongFirst}`);
      const [mark] = await transaction.$queryRaw<{ xid: string; at: Date }[]>`
        select (pg_current_xact_id()::text::numeric % 4294967296)::text as xid, clock_timestamp() as at`;
      if (mark === undefined) throw new Error('the database does not tell its time');
      return { notes, ...mark };
    },
    { ...transactionLimits, isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead },
  );
}
