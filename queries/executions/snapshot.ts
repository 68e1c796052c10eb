import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';

/** Runs the statements of one answer. */
export type Snapshot = Pick<Database, '$queryRaw'>;

/** How long to wait for a free connection of the pool. */
const connectionWaitMs = 10_000;

/** The limit of a statement if the connection has none, such as behind a pooler that does not accept one. */
const unlimitedTimeoutMs = 10_000;

/** The longest timeout that a statement may have. Statements end by themselves: Prisma's own timeout must not come first. */
const transactionTimeoutMs = 3_600_000;

/**
 * Reads an answer: all its statements see the same rows, nothing can be written, and each ends after `timeoutMs`.
 *
 * An answer reads many small index rows and groups them, in memory if PostgreSQL may use 64 MB for it. With some hundred
 * thousand rows, PostgreSQL should use several cores. For that, it has to be told that each day's index counts although it
 * is small, and that few groups come back: its own estimate is a tenth of the number of runs. With fewer rows, a second
 * process costs more than it helps, and so does compiling a statement.
 *
 * @param timeoutMs of one statement. @default the database's own timeout
 * @throws the database's error: SQLSTATE 57014 if a statement took too long
 */
export function inSnapshot<T>(
  database: Database,
  work: (snapshot: Snapshot) => Promise<T>,
  timeoutMs?: number,
): Promise<T> {
  return database.$transaction(
    async (transaction) => {
      await transaction.$queryRaw`select
        set_config('statement_timeout', coalesce(${timeoutMs ?? null}::int::text,
          nullif(current_setting('statement_timeout'), '0'), ${String(unlimitedTimeoutMs)}), true),
        set_config('transaction_read_only', 'on', true),
        set_config('work_mem', '64MB', true),
        set_config('jit', 'off', true),
        set_config('parallel_setup_cost', '10000', true),
        set_config('parallel_tuple_cost', '0.02', true),
        set_config('min_parallel_index_scan_size', '0', true),
        set_config('random_page_cost', '1.1', true)`;
      return work(transaction);
    },
    {
      isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead,
      maxWait: connectionWaitMs,
      timeout: transactionTimeoutMs,
    },
  );
}
