import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError } from '../../shared/database-errors.ts';
import type { BatchEntry } from '../batcher.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { OutageGate } from '../outage-gate.ts';
import { settleEntries } from '../settle.ts';
import { executionLogQueue as queue } from './queue.ts';
import { insertExecutions } from './store.ts';

/** What a batch writer works with. */
export interface BatchWriterDeps {
  database: Database;
  metrics: WorkerMetrics;
  gate: OutageGate;
}

/** Writes one batch: one statement, repeated in place while waiting can help, and taken apart when a row is refused. */
export function createBatchWriter({ database, metrics, gate }: BatchWriterDeps) {
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

  return (entries: readonly BatchEntry[]) => settleEntries(entries, (part) => gate.run(() => insert(part)));
}
