import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import {
  ensurePartitions,
  ledgerChunkTable,
  planPartitions,
} from '../../shared/platform/postgres/partitions/partitions.ts';
import type { EnsureDeps } from './ensure-upcoming-partitions.ts';

/**
 * Makes the daily partitions of the ledger that are lacking, and logs what it did. Nothing waits for them: what has none lies in the
 * DEFAULT partition until it is purged. So nothing is thrown but what every statement meets.
 */
export async function ensureLedgerPartitions(
  { config, database, logger, signal }: EnsureDeps,
  nowMs: number,
): Promise<void> {
  try {
    const days = planPartitions(ledgerChunkTable, nowMs, config.database.partitionDaysAhead);
    const { created, postponed } = await ensurePartitions(database, ledgerChunkTable, days, { tries: 1, signal });
    if (created.length > 0) logger.info({ created }, 'partitions of the ledger created');
    if (postponed.length > 0)
      logger.info({ postponed }, 'partitions of the ledger could not be created now; trying again at the next check');
  } catch (error) {
    if (classifyDatabaseError(error).class === 'transient') throw error;
    logger.warn({ err: error }, 'partitions of the ledger could not be created');
  }
}
