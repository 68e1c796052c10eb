import type { QueueName } from '../../shared/contracts/queues.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import type { TellMetrics } from '../runtime/tell-metrics.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { StoreResult } from './queue-definition.ts';

/** Measures statements, and counts what they did with their records. */
export function createStatementMeter({
  queue,
  metrics,
  tellMetrics,
}: {
  queue: QueueName;
  metrics: Pick<WorkerMetrics, 'statement' | 'batchRecords' | 'records'>;
  tellMetrics: TellMetrics;
}) {
  return async <Result extends StoreResult | null>(
    records: number,
    statement: () => Promise<Result>,
  ): Promise<Result> => {
    const stopTimer = metrics.statement.startTimer({ queue });
    try {
      const result = await statement();
      // It is committed: what is thrown from here on would have it repeated.
      tellMetrics(() => {
        stopTimer({ result: 'ok' });
        metrics.batchRecords.observe({ queue }, records);
      });
      for (const [outcome, count] of Object.entries(result?.outcomes ?? {}))
        tellMetrics(() => metrics.records.inc({ queue, outcome }, count));
      return result;
    } catch (error) {
      tellMetrics(() => stopTimer({ result: classifyDatabaseError(error).class }));
      throw error;
    }
  };
}
