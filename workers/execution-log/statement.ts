import { accountQueries } from '../../shared/platform/ledger/chunk-statement.ts';
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

/**
 * The same with how many records there are as a second parameter, and the accounts of those that have one as a third. It returns how
 * many rows it has inserted. Only when some were not, the records are read once more, to find out which ones.
 */
export const accountedStoreStatement: JsonStatement = toAccounted(storeStatement);

function toAccounted([before, after]: JsonStatement): JsonStatement {
  const [accounts, queries] = accountQueries('execution-log', {
    areAllStored: '(select n = asked from counted)',
    settled: `
    select record."index" - 1 as "index", found."index" is not null as "isStored"
    from rows from (json_to_recordset($1::json) as ("id" uuid)) with ordinality as record ("id", "index")
    left join (
      select min(input."index") as "index"
      from rows from (json_to_recordset($1::json) as ("id" uuid, "recordedAt" timestamptz(3)))
        with ordinality as input ("id", "recordedAt", "index")
      join inserted on inserted.id = input."id" and inserted.recorded_at = input."recordedAt"
      group by input."id", input."recordedAt") as found using ("index")
    where (select n <> asked from counted)`,
  });
  return [
    before.replace('insert into', ', inserted as (insert into'),
    `${after} returning id, recorded_at),
  counted as (select count(*)::integer as n, `,
    `::integer as asked from inserted),
  ${accounts}`,
    `${queries}
  select n from counted`,
  ];
}

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
