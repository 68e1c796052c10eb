import type { Config } from '../../shared/config.ts';
import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError, explainDatabaseError } from '../../shared/database-errors.ts';
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { createThrottledLog } from '../../shared/throttled-log.ts';
import type { BatchEntry } from '../batcher.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { retryWhileWorthWaiting } from '../retry.ts';
import { settleEntries } from '../settle.ts';
import { executionLogQueue as queue } from './queue.ts';
import { insertExecutions } from './store.ts';

/** What a batch writer works with. */
export interface BatchWriterDeps {
  config: Config;
  database: Database;
  logger: Logger;
  metrics: WorkerMetrics;
  /** ends the repeating; what is not settled then is delivered again */
  signal: AbortSignal;
}

const refusalLogEveryMs = 60_000;

/** Writes one batch: one statement, repeated in place while waiting can help, and taken apart when a row is refused. */
export function createBatchWriter({ config, database, logger, metrics, signal }: BatchWriterDeps) {
  const refusals = createThrottledLog<'every row'>(refusalLogEveryMs, (_kind, { lastError }) => {
    const reason = explainDatabaseError(lastError);
    logger.error({ reason }, 'database refuses every row; all jobs wait until this is mended');
  });

  const insert = async (entries: readonly BatchEntry[]): Promise<void> => {
    const records = entries.reduce((sum, entry) => sum + entry.records, 0);
    const json = `[${entries.map((entry) => entry.json.slice(1, -1)).join(',')}]`;
    const stopTimer = metrics.statement.startTimer({ queue });
    metrics.batchRecords.observe({ queue }, records);
    let stored: number;
    try {
      stored = await insertExecutions(database, json);
    } catch (error) {
      stopTimer({ result: classifyDatabaseError(error).class });
      throw error;
    }
    stopTimer({ result: 'ok' });
    metrics.records.inc({ queue, outcome: 'stored' }, stored);
    metrics.records.inc({ queue, outcome: 'duplicate' }, records - stored);
  };

  const insertWithRetry = (entries: readonly BatchEntry[]): Promise<void> =>
    retryWhileWorthWaiting(() => insert(entries), {
      backoff: config.retry,
      random: Math.random,
      signal,
      onRetry: ({ class: errorClass, code }, attempt, thrown) => {
        metrics.retries.inc({ queue, class: errorClass, code });
        if (errorClass === 'systemic') refusals.report('every row', toError(thrown));
        else if (attempt === 0)
          logger.warn({ code }, 'database is in trouble, repeating the statement until it answers');
      },
      onRecovered: (attempts) => logger.info({ attempts }, 'database answers again'),
    });

  return (entries: readonly BatchEntry[]) => settleEntries(entries, insertWithRetry);
}
