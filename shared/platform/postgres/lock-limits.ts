import type { Database } from './database.ts';

/** How long a lock is waited for. Whoever comes later stands behind it, inserts too. */
const lockWaitMs = 500;

/** A process that is frozen within a transaction keeps its locks no longer than this. */
const maxIdleMs = 1_500;

/**
 * Bounds what a transaction that takes heavy locks can cost others: each wait for a lock, each statement, and the time
 * that its own process lets it lie. Advisory locks count as locks.
 */
export async function setLockLimits(
  transaction: Pick<Database, '$executeRaw'>,
  { statementMs }: { statementMs: number },
): Promise<void> {
  await transaction.$executeRaw`
    select set_config('lock_timeout', ${`${lockWaitMs}ms`}, true), set_config('statement_timeout', ${`${statementMs}ms`}, true),
      set_config('idle_in_transaction_session_timeout', ${`${maxIdleMs}ms`}, true)`;
}
