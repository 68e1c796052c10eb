import type { Config } from '../../shared/platform/config/config.ts';
import { createDatabase, type Database } from '../../shared/platform/postgres/database.ts';

/** A DEFAULT partition of some hundred million rows takes so long to be read. */
export const readTimeoutMs = 3_600_000;

/** Who holds a lock for longer than this holds it for long: what waits for it must not hold up the rest. */
const lockTimeoutMs = 1_000;

/**
 * The database as a worker uses it: a statement waits a second for a lock, and not until its time is up.
 *
 * @throws UsageError when DATABASE_URL is missing
 */
export function createWorkerDatabase(config: Config['database'], name: string): Database {
  // Where a statement has little time in all, that is limit enough.
  const isShort = config.statementTimeoutMs < 2 * lockTimeoutMs;
  return createDatabase(config, name, isShort ? {} : { lockTimeoutMs });
}

/** A pool whose statements may take an hour, those of the worker's own may not. */
export function createPatientDatabase(config: Config['database'], poolSize: number): Database {
  return createDatabase({ ...config, statementTimeoutMs: readTimeoutMs, poolSize }, 'sluice partitions');
}
