import type { JsonStatement } from '../../shared/platform/postgres/database.ts';
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
export const storeStatement: JsonStatement = [
  `with erasures as (select from sluice.subject_erasure where false for key share)
  insert into sluice.strategy_execution_log (${names}) select ${values} from json_to_recordset(`,
  `::json) as record (${shape}) where ${isErased('record')} is not true on conflict do nothing`,
];

export const erasedStatement: JsonStatement = [
  'select count(*)::integer from json_to_recordset(',
  `::json) as record ("recordedAt" timestamptz, "externalUserId" text, "realmId" text) where ${isErased('record')}`,
];
