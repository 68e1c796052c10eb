import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError } from '../../shared/database-errors.ts';
import type { BatchEntry } from '../batcher.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { OutageGate } from '../outage-gate.ts';
import { settleEntries } from '../settle.ts';
import type { RecordKind, Unstored } from './kind.ts';

/** What a batch writer works with. */
export interface BatchWriterDeps {
  kind: RecordKind;
  database: Database;
  metrics: WorkerMetrics;
  gate: OutageGate;
}

/** Writes one batch: one statement, repeated in place while waiting can help, and taken apart when a row is refused. */
export function createBatchWriter({ kind, database, metrics, gate }: BatchWriterDeps) {
  const { queue } = kind;

  const write = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    const records = entries.reduce((sum, entry) => sum + entry.records, 0);
    const json = `[${entries.map((entry) => entry.json.slice(1, -1)).join(',')}]`;
    const stopTimer = metrics.statement.startTimer({ queue });
    metrics.batchRecords.observe({ queue }, records);
    try {
      const { outcomes, unstored } = await kind.store(database, json, records);
      stopTimer({ result: 'ok' });
      for (const [outcome, count] of Object.entries(outcomes)) metrics.records.inc({ queue, outcome }, count);
      return unstored;
    } catch (error) {
      stopTimer({ result: classifyDatabaseError(error).class });
      throw error;
    }
  };

  return (entries: readonly BatchEntry[]) => settleEntries(entries, (part) => gate.run(() => write(part)));
}
