import { type Database, Prisma } from '../../../shared/database.ts';

/** What statements of one answer are run with. */
export type Snapshot = Pick<Database, '$queryRaw'>;

/** Of one statement of an answer, unless told otherwise. */
export const defaultAnswerTimeoutMs = 10_000;

/** For a free connection of the pool. */
const connectionWaitMs = 10_000;
const hangMs = 30_000;

/**
 * Reads an answer: all its statements see the same rows, nothing can be written, and each ends after `timeoutMs`.
 *
 * An answer reads a lot of small index rows and groups them, in memory when PostgreSQL may take 64 MB for it. With some hundred
 * thousand of them it is to do so on several cores, which needs to be told that each day's index counts, small as it is, and
 * that few groups come back: it expects a tenth as many as there are runs. With fewer, a second process costs more than
 * it helps, and so does compiling a statement.
 *
 * @throws what the database said: SQLSTATE 57014 when a statement took too long
 */
export function inSnapshot<T>(
  database: Database,
  work: (snapshot: Snapshot) => Promise<T>,
  timeoutMs = defaultAnswerTimeoutMs,
): Promise<T> {
  return database.$transaction(
    async (transaction) => {
      await transaction.$queryRaw`select
        set_config('statement_timeout', ${String(timeoutMs)}, true),
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
      // Each statement has the timeout; Prisma's own limit is only there for a hang.
      timeout: hangMs + timeoutMs * 4,
    },
  );
}
