import { type Database, Prisma } from '../shared/platform/postgres/database.ts';

/** What Prisma passes to the work inside a transaction. */
export type Transaction = Parameters<Parameters<Database['$transaction']>[0]>[0];

/** Nothing is stored while a transaction waits for the lock, so it does not wait long. */
const defaults = { tables: ['request_tombstone'], lockTimeoutMs: 3_000 } as const;
const transactionTimeoutMs = 10_000;

/**
 * Does `work` in a transaction during which no record of a request is stored: it waits for statements in progress, and later
 * ones wait, and then see what `work` has committed. So nothing that `work` deletes comes back.
 *
 * That holds because a storing statement takes a row-share lock on `request_tombstone`, and PostgreSQL takes a
 * statement's table locks before its snapshot if each statement has its own (read committed). Exclusive mode
 * keeps out these statements and other deletions, but not readers and dumps.
 *
 * The same applies to executions and `subject_erasure`.
 *
 * @param options.tables the tables to lock, in this order. @default request_tombstone
 * @param options.lockTimeoutMs @default 3000
 * @throws the database's error; 55P03 if a statement in progress takes longer than that: nothing was done
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
