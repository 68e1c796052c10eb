import type { Database } from '../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import type { CircuitBreaker } from '../runtime/circuit-breaker.ts';
import type { MemoryBudget } from '../runtime/memory-budget.ts';
import type { TellMetrics } from '../runtime/tell-metrics.ts';
import { createCopyBackoff } from './copy-backoff.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { CopyRows, QueueDefinition } from './queue-definition.ts';
import { createStatementMeter } from './statement-meter.ts';

/** What a copy writer works with. */
export interface CopyWriterDeps {
  definition: Pick<QueueDefinition, 'queue' | 'copy'>;
  database: Database;
  metrics: WorkerMetrics;
  tellMetrics: TellMetrics;
  breaker: Pick<CircuitBreaker, 'isOutage'>;
  memory: Pick<MemoryBudget, 'statements'>;
}

/** Nothing of a batch was stored by COPY: its records have to be read by a parser, and stored by the statement. */
export class CopyRefusedError extends Error {
  override readonly name = 'CopyRefusedError';
}

/**
 * Writes a batch by COPY, once. Whatever comes in the way of it, nothing is stored and nothing is tried again here: the statement
 * stores the records, waits while the database is away, or tells which of them are at fault.
 */
export function createCopyWriter({ definition, database, metrics, tellMetrics, breaker, memory }: CopyWriterDeps) {
  const { queue, copy } = definition;
  const backoff = createCopyBackoff();
  const measured = createStatementMeter({ queue, metrics, tellMetrics });

  const isStored = async (rows: readonly CopyRows[]): Promise<boolean> => {
    const leave = await memory.statements.enter(sumOf(rows, 'bytes'));
    try {
      return (await measured(sumOf(rows, 'records'), () => copy.store(database, rows))) !== null;
    } catch (error) {
      tellMetrics(() => metrics.retries.inc({ queue, ...classifyDatabaseError(error) }));
      return false;
    } finally {
      leave();
    }
  };

  return async (rows: readonly CopyRows[]): Promise<null[]> => {
    if (breaker.isOutage || !backoff.mayTry()) throw new CopyRefusedError('COPY was not tried');
    const isDone = await isStored(rows);
    if (isDone) backoff.succeeded();
    else backoff.failed();
    tellMetrics(() => metrics.copies.inc({ queue, result: isDone ? 'stored' : 'refused' }));
    if (!isDone) throw new CopyRefusedError('COPY stored nothing');
    return rows.map(() => null);
  };
}

function sumOf(rows: readonly CopyRows[], of: 'bytes' | 'records'): number {
  return rows.reduce((sum, one) => sum + one[of], 0);
}
