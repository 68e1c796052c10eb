import type { Database } from '../../shared/platform/postgres/database.ts';
import type { WindowRequest } from '../executions/window.ts';
import type { Accounts } from './accounts.ts';
import { closeBooks, readBooks } from './books.ts';
import type { RedisNamespace } from './look-up.ts';
import { type AccountsFilter, toScope } from './scope.ts';
import { toAccounts } from './to-accounts.ts';

/** A question about the books. */
export interface AccountsQuestion extends AccountsFilter {
  window: WindowRequest;
  /** of the series; null chooses one, see scope.ts */
  bucketMs?: number | null;
  /** of one statement. @default the database's own timeout */
  timeoutMs?: number | undefined;
}

/**
 * The books of a window: where each record is that was recorded.
 *
 * What is settled comes from one snapshot of the database. Then Redis is asked for what has not arrived, and the database again, so that
 * nothing that is just being stored counts as missing.
 *
 * @param place null: there is no Redis to ask
 * @throws UsageError if the window is invalid, or the database's error; never because of Redis
 */
export async function readAccounts(
  database: Database,
  place: RedisNamespace | null,
  { window, bucketMs = null, timeoutMs, ...filter }: AccountsQuestion,
): Promise<Accounts> {
  const scope = toScope(window, filter, bucketMs);
  const { clocks, nowMs, livesLeftOut, ...books } = await readBooks(database, scope, timeoutMs);
  const accounts = await closeBooks(database, scope, books, place);
  return toAccounts(scope, { sums: books.sums, accounts, livesLeftOut, clocks, nowMs });
}
