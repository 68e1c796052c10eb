import type { Database } from '../../shared/platform/postgres/database.ts';
import type { WindowRequest } from '../executions/window.ts';
import type { AbsentRecords } from './absent.ts';
import { readAccounts } from './read-accounts.ts';

/** What is younger may be on its way: producers report every minute. */
const freshMs = 120_000;

/**
 * The executions of a window that have no row, by the ledger. Redis is not asked: what is there has no row either.
 *
 * @param options.realmId only its executions; null: all
 * @returns null if the window is younger than two minutes
 * @throws the database's error
 */
export async function readAbsent(
  database: Database,
  options: { window: WindowRequest; realmId: string | null; nowMs: number; timeoutMs?: number | undefined },
): Promise<AbsentRecords | null> {
  const { window, realmId, nowMs, timeoutMs } = options;
  const untilMs = Math.min(window.until.getTime(), nowMs - freshMs);
  const sinceMs = window.since?.getTime() ?? 0;
  if (sinceMs >= untilMs) return null;
  const { total } = await readAccounts(database, null, {
    window: { since: new Date(sinceMs), until: new Date(untilMs) },
    queue: 'execution-log',
    realm: realmId ?? undefined,
    timeoutMs,
  });
  const { dropped, refused, dead, inFlight, uncertain, missing } = total;
  return { dropped, refused, dead, notArrived: inFlight + uncertain + missing };
}
