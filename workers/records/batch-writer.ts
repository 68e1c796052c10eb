import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError } from '../../shared/database-errors.ts';
import type { BatchEntry } from '../batcher.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { OutageGate } from '../outage-gate.ts';
import { settleEntries } from '../settle.ts';
import type { RecordKind, Unstored } from './kind.ts';
import { isPerhapsTooLarge, splitEntries } from './split.ts';

/** What a batch writer works with. */
export interface BatchWriterDeps {
  kind: RecordKind;
  database: Database;
  metrics: WorkerMetrics;
  gate: OutageGate;
  /** aborted when the time to settle things is up */
  signal: AbortSignal;
}

/** Writes one batch: one statement, repeated in place while waiting can help, and taken apart when a row is refused. */
export function createBatchWriter({ kind, database, metrics, gate, signal }: BatchWriterDeps) {
  const { queue } = kind;

  const write = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    const records = countRecords(entries);
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

  const writeInParts = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    const records = countRecords(entries);
    try {
      return await gate.run(() => write(entries), records > 1 ? isPerhapsTooLarge : undefined);
    } catch (error) {
      const halves = isPerhapsTooLarge(classifyDatabaseError(error), Number.POSITIVE_INFINITY)
        ? splitEntries(entries)
        : null;
      if (halves === null || signal.aborted) throw error;
      const [first, second] = halves;
      const unstored = await writeInParts(first);
      const shifted = (await writeInParts(second)).map((one) => ({ ...one, index: one.index + countRecords(first) }));
      return [...unstored, ...shifted];
    }
  };

  return (entries: readonly BatchEntry[]) => settleEntries(entries, writeInParts);
}

function countRecords(entries: readonly BatchEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.records, 0);
}
