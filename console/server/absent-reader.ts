import type { WindowRequest } from '../../queries/executions/window.ts';
import type { AbsentRecords } from '../../queries/ledger/absent.ts';
import { readAbsent } from '../../queries/ledger/read-absent.ts';
import { answerWithin } from '../../shared/platform/deadline.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';

/** Figures do not wait longer for it. */
const answerWithinMs = 1_500;
const statementTimeoutMs = 5_000;
/** A page asks every ten seconds; what has no row changes slowly. */
const keptMs = 60_000;
const mostKept = 100;

/**
 * Tells what of a window has no row, for figures of executions. An answer is used for a minute; windows of the same minutes share it.
 * Never throws: null if the ledger does not tell in time, or has nothing to tell.
 */
export function createAbsentReader(database: Database) {
  const kept = new Map<string, { atMs: number; answer: Promise<AbsentRecords | null> }>();
  return async (window: WindowRequest, realmId: string | null): Promise<AbsentRecords | null> => {
    const minuteOf = (time: Date | null): number | null => time && Math.floor(time.getTime() / 60_000);
    const key = JSON.stringify([minuteOf(window.since), minuteOf(window.until), realmId]);
    const nowMs = performance.now();
    for (const [name, { atMs }] of kept) if (nowMs - atMs > keptMs || kept.size > mostKept) kept.delete(name);
    let entry = kept.get(key);
    if (entry === undefined) {
      const question = { window, realmId, nowMs: Date.now(), timeoutMs: statementTimeoutMs };
      entry = { atMs: nowMs, answer: readAbsent(database, question).catch(() => null) };
      kept.set(key, entry);
    }
    const { answer } = entry;
    return answerWithin(answerWithinMs, () => answer);
  };
}
