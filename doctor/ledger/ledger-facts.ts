import { readAccounts } from '../../queries/ledger/read-accounts.ts';
import type { Answer } from '../answer.ts';
import type { PostgresConnection } from '../postgres/postgres-facts.ts';
import type { RedisConnection } from '../redis/redis-facts.ts';
import { ifThere } from '../tables/tables-facts.ts';
import type { LedgerFacts } from './check-ledger.ts';

const windowMs = 86_400_000;
/** One of the statements; the doctor gives up on the whole a little later. */
const statementTimeoutMs = 2_000;

/** The books of the last 24 hours. */
export function readLedgerFacts(
  { database, ask }: PostgresConnection,
  { redis }: RedisConnection,
  { namespace, nowMs }: { namespace: string; nowMs: number },
): Promise<Answer<LedgerFacts | null>> {
  const window = { since: new Date(nowMs - windowMs), until: new Date(nowMs) };
  return ask(() =>
    ifThere(database, 'ledger_chunk', () =>
      readAccounts(database, { redis, namespace }, { window, timeoutMs: statementTimeoutMs }),
    ),
  );
}
