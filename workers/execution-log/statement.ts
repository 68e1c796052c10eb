import type { JsonStatement } from '../../shared/platform/postgres/database.ts';
import { narrowColumns, wideColumns } from './columns.ts';
import { isErased } from './erased.ts';

const columns = [...narrowColumns, ...wideColumns];

const names = columns.map(({ column }) => `"${column}"`).join(', ');
// A whole number may have been written as 2.0 or 2e0, which PostgreSQL does not read as an integer.
const values = columns.map(({ name, type }) => `record."${name}"${type === 'integer' ? '::integer' : ''}`).join(', ');
const shape = columns.map(({ name, type }) => `"${name}" ${type === 'integer' ? 'double precision' : type}`).join(', ');

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

export const copyStatement = `copy sluice.strategy_execution_log (${names}) from stdin`;

/**
 * Has a row when somebody was erased since the earliest of the records. It also locks the table of erasures, as `erasures` does
 * above.
 */
export function copyVeto(earliest: string): string {
  return `select from sluice.subject_erasure where erased_before >= '${earliest}' limit 1 for key share`;
}
