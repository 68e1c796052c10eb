import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/backoff.ts';
import type { Database } from '../../shared/database.ts';
import { classifyDatabaseError, explainDatabaseError, isOfOneStatement } from '../../shared/database-errors.ts';
import type { BatchEntry } from '../batcher.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { OutageGate } from '../outage-gate.ts';
import { settleEntries } from '../settle.ts';
import type { RecordKind, Unstored } from './kind.ts';
import { writeInParts } from './parts.ts';

/** What a batch writer works with. */
export interface BatchWriterDeps {
  kind: RecordKind;
  database: Database;
  metrics: WorkerMetrics;
  gate: OutageGate;
  backoff: Backoff;
  /** aborted when the time to settle things is up */
  signal: AbortSignal;
}

/** A statement that meets a lock, or takes too long, is repeated so often before it is done in parts. */
const attempts = 3;

/**
 * Writes one batch in one statement: repeated in place while the database is away, in parts when it cannot be done in one
 * go, and taken apart when a row is refused.
 */
export function createBatchWriter({ kind, database, metrics, gate, backoff, signal }: BatchWriterDeps) {
  const { queue } = kind;
  let inTrouble = 0;

  const store = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
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

  /** One try; an error of the statement alone is a result, all else is thrown. */
  const tryOnce = async (entries: readonly BatchEntry[]) => {
    try {
      return { unstored: await gate.run(() => store(entries)) };
    } catch (error) {
      const classified = classifyDatabaseError(error);
      if (!isOfOneStatement(classified) || signal.aborted) throw error;
      metrics.retries.inc({ queue, class: classified.class, code: classified.code });
      return { failedWith: { code: classified.code, reason: explainDatabaseError(error) } };
    }
  };

  const write = async (entries: readonly BatchEntry[]): Promise<readonly Unstored[]> => {
    const first = await tryOnce(entries);
    if ('unstored' in first) return first.unstored;
    inTrouble += 1;
    try {
      let { failedWith } = first;
      for (let attempt = 1; attempt < attempts; attempt += 1) {
        await sleep(backoffMs(backoff, attempt, Math.random), undefined, { signal }).catch(() => undefined);
        const again = await tryOnce(entries);
        if ('unstored' in again) return again.unstored;
        failedWith = again.failedWith;
      }
      return await writeInParts(entries, tryOnce, failedWith);
    } finally {
      inTrouble -= 1;
    }
  };

  return {
    write: (entries: readonly BatchEntry[]) => settleEntries(entries, write),
    /** Whether a statement meets locks or takes too long now: that ends by itself, in bounded time. */
    get isInTrouble(): boolean {
      return inTrouble > 0;
    },
  };
}
