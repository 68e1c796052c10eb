import { type AccountedRecords, toAccountedRecords } from '../../shared/platform/ledger/chunk-statement.ts';
import {
  type Database,
  executeWithJson,
  type JsonTransaction,
  queryWithJson,
} from '../../shared/platform/postgres/database.ts';
import type { StoreResult } from '../ingest/queue-definition.ts';
import { accountedStoreStatement, erasedStatement, storeStatement } from './statement.ts';

/**
 * Inserts a JSON array of execution records in one statement with one parameter, which costs a tenth of what createMany
 * does. Safe to repeat: a record that is there already is left alone, and one of somebody who was erased is not stored.
 *
 * @param records how many there are in the array: those that are neither inserted nor erased are duplicates
 * @param accounted those of them that have an account, which is written with them
 */
export async function insertExecutions(
  door: Database | JsonTransaction,
  json: string,
  records: number,
  accounted: readonly AccountedRecords[] = [],
): Promise<StoreResult> {
  const accounts = toAccountedRecords(accounted);
  const stored =
    accounts === null
      ? await executeWithJson(door, storeStatement, json)
      : Number((await queryWithJson(door, accountedStoreStatement, json, String(records), accounts))[0]?.[0]);
  const left = records - stored;
  const erased = left === 0 ? 0 : await countErased(door, json);
  // An erasure that was noted between the two statements also names what the first one has stored.
  const tombstoned = Math.min(left, erased);
  const duplicate = left - tombstoned;
  return { outcomes: { stored, duplicate, ...(tombstoned > 0 ? { tombstoned } : {}) }, unstored: [] };
}

/** Without a transaction around it the insert is committed: that its rest cannot be told apart is no reason to repeat it. */
async function countErased(door: Database | JsonTransaction, json: string): Promise<number> {
  try {
    const [row] = await queryWithJson(door, erasedStatement, json);
    return Number(row?.[0] ?? 0);
  } catch (error) {
    if ('isTransaction' in door) throw error;
    return 0;
  }
}
