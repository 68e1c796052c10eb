import type { QueueName } from '../../shared/contracts/queues.ts';
import { storedStatement, toAccounts } from '../../shared/platform/ledger/chunk-statement.ts';
import type { JsonStatement } from '../../shared/platform/postgres/database.ts';
import type { CopyRows } from './queue-definition.ts';

/** What else a COPY of these rows has to do: to write their accounts. Nothing where none has any. */
export function accountsOf(queue: QueueName, rows: readonly CopyRows[]): { statement: JsonStatement; json: string }[] {
  const json = toAccounts(rows.map(({ account = null }) => account));
  return json === null ? [] : [{ statement: storedStatement(queue), json }];
}
