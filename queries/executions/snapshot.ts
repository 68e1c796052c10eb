import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';

/** What statements of one answer are run with. */
export type Snapshot = Pick<Database, '$queryRaw'>;

/** For a free connection of the pool. */
const connectionWaitMs = 10_000;

/** Of one statement where the connection has no limit, as behind a pooler that takes none. */
const unlimitedTimeoutMs = 10_000;

/** The longest that a statement may be allowed to take. Each ends by itself: Prisma's own clock is not to be quicker. */
const transactionTimeoutMs = 3_600_000;

/**
 * Reads an answer: all its statements see the same rows, nothing can be written, and each ends after `timeoutMs`.
 *
 * An answer reads a lot of small index rows and groups them, in memory when PostgreSQL may take 64 MB for it. With some hundred
 * thousand of them it is to do so on several cores, which needs to be told that each day's index counts, small as it is, and
 * that few groups come back: it expects a tenth as many as there are runs. With fewer, a second process costs more than
 * it helps, and so does compiling a statement.
 *
 * @param timeoutMs of one statement. @default what the database was opened with
 * @throws what the database said: SQLSTATE 57014 when a statement took too long
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
