import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { pause } from '../../shared/platform/deadline.ts';
import { type Database, withJsonTransaction } from '../../shared/platform/postgres/database.ts';
import {
  classifyDatabaseError,
  isLackOfResources,
  lockNotAvailable,
} from '../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../shared/platform/postgres/explain-database-error.ts';
import { type CircuitBreaker, OwnFaultError, type Proof, StoppedError } from '../runtime/circuit-breaker.ts';
import { heldBytes, type MemoryBudget } from '../runtime/memory-budget.ts';
import type { TellMetrics } from '../runtime/tell-metrics.ts';
import type { BatchEntry } from './batcher.ts';
import { bisectEntries, type WritePurpose } from './bisect.ts';
import { accountedRecords } from './ledger-entries.ts';
import type { WorkerMetrics } from './metrics.ts';
import { writeInParts } from './parts.ts';
import type { QueueDefinition, Unstored } from './queue-definition.ts';
import { createStatementMeter } from './statement-meter.ts';

/** What a batch writer works with. */
export interface BatchWriterDeps {
  definition: QueueDefinition;
  database: Database;
  metrics: WorkerMetrics;
  tellMetrics: TellMetrics;
  breaker: CircuitBreaker;
  memory: MemoryBudget;
  backoff: Backoff;
  /** aborted when the time to settle things is up */
  signal: AbortSignal;
}

/** How many times a statement that lacks time, a lock or space is tried before its batch is split. */
const triesBeforeSplit = 3;

/** How long a part waits for a lock: what is in its way is to be found, not waited for. */
const partLockTimeoutMs = 200;

/**
 * How many identical failures prove that a statement is at fault: three for a batch, while the database accepts others; one for
 * a part of it; three for what cannot be split. Such a last refusal counts only if the database then accepts a record that is
 * known to be good: else it would refuse any row.
 */
const proofs: Record<WritePurpose, Proof> = {
  batch: { tries: 3 },
  part: { tries: 1 },
  last: { tries: 3, needsControl: true },
};

/**
 * Writes one batch in one statement: repeated in place while the database is away, in parts when it cannot be done in one
 * go, and taken apart when a row is refused, or makes the statement fail again and again while others get through.
 */
export function createBatchWriter(deps: BatchWriterDeps) {
  const { definition, database, metrics, tellMetrics, breaker, memory, backoff, signal } = deps;
  const { queue } = definition;
  const measured = createStatementMeter({ queue, metrics, tellMetrics });
  let inTrouble = 0;

  const store = async (entries: readonly BatchEntry[], isPart: boolean): Promise<readonly Unstored[]> => {
    const bytes = entries.reduce((sum, entry) => sum + heldBytes(entry.json, entry.bytes), 0);
    const leave = await memory.statements.enter(bytes);
    try {
      if (signal.aborted) throw new StoppedError();
      return await runStatement(entries, isPart);
    } finally {
      leave();
    }
  };

  const runStatement = async (entries: readonly BatchEntry[], isPart: boolean): Promise<readonly Unstored[]> => {
    const records = entries.reduce((sum, entry) => sum + entry.records, 0);
    const accounted = accountedRecords(entries);
    const { unstored } = await measured(records, () =>
      isPart
        ? withJsonTransaction(database, { lockTimeoutMs: partLockTimeoutMs, commits: true }, (transaction) =>
            definition.store(transaction, toList(entries), records, accounted),
          )
        : definition.store(database, toList(entries), records, accounted),
    );
    return unstored;
  };

  /** One try; an error that rows cannot be blamed for is a result, all else is thrown. */
  const tryOnce = async (entries: readonly BatchEntry[], purpose: WritePurpose, isPart = false) => {
    try {
      return { unstored: await breaker.run(() => store(entries, isPart), proofs[purpose]) };
    } catch (error) {
      const classified = classifyDatabaseError(error);
      if (error instanceof OwnFaultError || !isLackOfResources(classified) || signal.aborted) throw error;
      tellMetrics(() => metrics.retries.inc({ queue, class: classified.class, code: classified.code }));
      return { failedWith: { code: classified.code, reason: explainDatabaseError(error) } };
    }
  };

  const write = async (entries: readonly BatchEntry[], purpose: WritePurpose): Promise<readonly Unstored[]> => {
    const first = await tryOnce(entries, purpose);
    if ('unstored' in first) return first.unstored;
    inTrouble += 1;
    try {
      let { failedWith } = first;
      // A lock that was held for as long as a statement waits for one will not be released soon: the batch is split at once.
      for (let attempt = 1; attempt < triesBeforeSplit && failedWith.code !== lockNotAvailable; attempt += 1) {
        await pause(backoffMs(backoff, attempt, Math.random), signal);
        const again = await tryOnce(entries, purpose);
        if ('unstored' in again) return again.unstored;
        failedWith = again.failedWith;
      }
      return await writeInParts(entries, (part) => tryOnce(part, 'part', true), failedWith);
    } finally {
      inTrouble -= 1;
    }
  };

  /** Writes a batch, or takes it apart. From the first failure on it is in trouble: to take it apart may take a while. */
  const writeOrBisect = async (entries: readonly BatchEntry[]): Promise<(Error | null)[]> => {
    let failed = 0;
    try {
      return await bisectEntries(entries, async (some, purpose) => {
        try {
          return await write(some, purpose);
        } catch (error) {
          if (failed === 0) inTrouble += 1;
          failed += 1;
          throw error;
        }
      });
    } finally {
      if (failed > 0) inTrouble -= 1;
    }
  };

  return {
    write: writeOrBisect,
    /** Whether a statement is being repeated or a batch taken apart. Locks and slow statements end in bounded time, an outage does not. */
    get isInTrouble(): boolean {
      return inTrouble > 0 || breaker.isInTrouble;
    },
  };
}

/** The records of all entries as one list. That of a single one is not copied: it may be large. */
function toList(entries: readonly BatchEntry[]): string {
  const [first, ...others] = entries;
  if (first !== undefined && others.length === 0) return first.json;
  return `[${entries.map(({ json }) => json.slice(1, -1)).join(',')}]`;
}
