import { type Database, Prisma } from '../shared/platform/postgres/database.ts';

/** What Prisma hands to the work inside a transaction. */
export type Transaction = Parameters<Parameters<Database['$transaction']>[0]>[0];

/** Nothing is stored while the lock is waited for, so it is not waited for long. */
const defaults = { tables: ['request_tombstone'], lockTimeoutMs: 3_000 } as const;
const transactionTimeoutMs = 10_000;

/**
 * Does `work` in a transaction in which no record of a request is being stored: statements under way are waited for, and
 * those that come later wait, and then see what `work` has committed. So nothing that is deleted in there comes back.
 *
 * That holds because a storing statement takes a row-share lock on `request_tombstone`, and PostgreSQL takes a
 * statement's locks on tables before its snapshot, when each statement has its own (read committed). Exclusive mode
 * keeps out these statements and other deletions; it lets readers and dumps through.
 *
 * The same goes for executions and `subject_erasure`.
 *
 * @param options.tables which of them are locked, in this order. @default request_tombstone
 * @param options.lockTimeoutMs @default 3000
 * @throws what the database says, 55P03 when a statement under way takes longer than that: nothing was done
 */
export function withoutStoring<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
  options: { tables: readonly ('request_tombstone' | 'subject_erasure')[]; lockTimeoutMs: number } = defaults,
): Promise<T> {
  const tables = options.tables.map((table) => `sluice.${table}`).join(', ');
  return database.$transaction(
    async (transaction) => {
      await transaction.$executeRaw(
        Prisma.sql`select set_config('lock_timeout', ${String(options.lockTimeoutMs)}, true)`,
      );
      await transaction.$executeRaw(Prisma.sql`lock table ${Prisma.raw(tables)} in exclusive mode`);
      return work(transaction);
    },
    { timeout: transactionTimeoutMs, isolationLevel: Prisma.TransactionIsolationLevel.ReadCommitted },
  );
}
