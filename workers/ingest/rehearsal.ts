import { type Database, withJsonTransaction } from '../../shared/platform/postgres/database.ts';
import type { QueueDefinition } from './queue-definition.ts';

const lockTimeoutMs = 1_000;

/**
 * Stores good records by the very statement of a kind, and takes them back. So it is known whether the database takes records
 * of this kind, when others are refused.
 *
 * @throws what the database says
 */
export async function rehearse(
  { goodRecords, store }: Pick<QueueDefinition, 'goodRecords' | 'store'>,
  database: Database,
  nowMs: number,
): Promise<void> {
  await withJsonTransaction(database, { lockTimeoutMs, commits: false }, async (transaction) => {
    for (const json of goodRecords(nowMs)) await store(transaction, json, 1);
  });
}
