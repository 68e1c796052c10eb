import { randomBytes } from 'node:crypto';
import { toChunkAccount } from '../../shared/platform/ledger/chunk-account.ts';
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
  { queue, goodRecords, store }: Pick<QueueDefinition, 'queue' | 'goodRecords' | 'store'>,
  database: Database,
  nowMs: number,
): Promise<void> {
  await withJsonTransaction(database, { lockTimeoutMs, commits: false }, async (transaction) => {
    for (const [index, json] of goodRecords(nowMs).entries()) {
      const account = accountOf(queue, nowMs, index + 1);
      await store(transaction, json, 1, account === null ? [] : [{ account, places: [0], index: 0 }]);
    }
  });
}

/** A row of the ledger may be what the database refuses, too. */
function accountOf(queue: QueueDefinition['queue'], nowMs: number, seq: number) {
  const identity = {
    producer: 'sluice-rehearsal',
    epoch: Math.floor(nowMs),
    life: randomBytes(8).toString('hex'),
    seq,
  };
  const of = [['sluice', Math.floor(nowMs / 60_000), 1]] as const;
  return toChunkAccount(queue, identity, { before: 0, of, from: null, erased: [] }, 1);
}
