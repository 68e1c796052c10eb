import {
  type Database,
  executeWithJson,
  type JsonStatement,
  type JsonTransaction,
  queryWithJson,
} from '../../shared/platform/postgres/database.ts';
import type { StoreResult } from '../ingest/queue-definition.ts';
import { isErased } from './erased.ts';

/** The columns of strategy_execution_log: the record's field, the column, the column's type. */
const columns: [field: string, column: string, type: string][] = [
  ['id', 'id', 'uuid'],
  ['recordedAt', 'recorded_at', 'timestamptz'],
  ['strategyId', 'strategy_id', 'text'],
  ['strategyVersion', 'strategy_version', 'integer'],
  ['strategyType', 'strategy_type', 'text'],
  ['realmId', 'realm_id', 'text'],
  ['externalGameId', 'external_game_id', 'text'],
  ['externalTaskId', 'external_task_id', 'text'],
  ['externalUserId', 'external_user_id', 'text'],
  ['status', 'status', 'text'],
  ['errorCode', 'error_code', 'text'],
  ['errorMessage', 'error_message', 'text'],
  ['failedNodeId', 'failed_node_id', 'text'],
  ['points', 'points', 'double precision'],
  ['caseName', 'case_name', 'text'],
  ['durationMs', 'duration_ms', 'double precision'],
  ['nodesExecuted', 'nodes_executed', 'integer'],
  ['trace', 'trace', 'jsonb'],
  ['traceLength', 'trace_length', 'integer'],
  ['sampled', 'sampled', 'boolean'],
  ['sampleRate', 'sample_rate', 'double precision'],
  ['parentStrategyId', 'parent_strategy_id', 'text'],
  ['astHash', 'ast_hash', 'text'],
  ['input', 'input', 'jsonb'],
  ['attempt', 'attempt', 'integer'],
  ['notes', 'notes', 'text'],
  ['traceId', 'trace_id', 'text'],
  ['spanId', 'span_id', 'text'],
];

const names = columns.map(([, column]) => `"${column}"`).join(', ');
// A whole number may have been written as 2.0 or 2e0, which PostgreSQL does not read as an integer.
const values = columns.map(([field, , type]) => `record."${field}"${type === 'integer' ? '::integer' : ''}`).join(', ');
const shape = columns
  .map(([field, , type]) => `"${field}" ${type === 'integer' ? 'double precision' : type}`)
  .join(', ');

/**
 * `erasures` locks no row, but the table: an erasure that is being noted waits for statements under way, and those that come
 * after it see it. See storeStatement of the requests.
 */
const statement: JsonStatement = [
  `with erasures as (select from sluice.subject_erasure where false for key share)
  insert into sluice.strategy_execution_log (${names}) select ${values} from json_to_recordset(`,
  `::json) as record (${shape}) where ${isErased('record')} is not true on conflict do nothing`,
];

const erasedStatement: JsonStatement = [
  'select count(*)::integer from json_to_recordset(',
  `::json) as record ("recordedAt" timestamptz, "externalUserId" text, "realmId" text) where ${isErased('record')}`,
];

/**
 * Inserts a JSON array of execution records in one statement with one parameter, which costs a tenth of what createMany
 * does. Safe to repeat: a record that is there already is left alone, and one of somebody who was erased is not stored.
 *
 * @param records how many there are in the array: those that are neither inserted nor erased are duplicates
 */
export async function insertExecutions(
  door: Database | JsonTransaction,
  json: string,
  records: number,
): Promise<StoreResult> {
  const stored = await executeWithJson(door, statement, json);
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
