import {
  classifyDatabaseError,
  insufficientPrivilege,
  lockCodes,
  queryCanceled,
} from '../../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../../shared/platform/postgres/explain-database-error.ts';
import { TableMoved } from '../../../shared/platform/postgres/held-table.ts';
import { SwapPostponed } from './swap-default.ts';

/** SQLSTATEs of what somebody else is in the way of. */
export const busyCodes = [...lockCodes, '40001'];

/** Why rows stay in the DEFAULT partition for now, for a person. */
export const anotherMoves = 'another process is moving rows';
export const askedToStop = 'asked to stop';
const tableInUse = 'somebody uses the table all the time';
export const tookTooLong = 'the exchange of the tables takes too long: the server has much to do';
export const tooManyChanges = 'rows of the DEFAULT partition change faster than their copies';

/** What of the database's refusals only means that rows stay where they are for now. */
const reasons: Record<string, string> = {
  ...Object.fromEntries(busyCodes.map((code) => [code, 'the DEFAULT partition is in use'])),
  '42P17': 'a partition of these days was created meanwhile',
  '53100':
    'the disk of PostgreSQL is full, and the copies are removed again: free as much space as the DEFAULT partition uses',
  [insufficientPrivilege]:
    'the role of DATABASE_URL may not create partitions: run maintenance as the owner of the tables',
};

/** No room, and failures of the server itself: to copy all of it again at once would end alike. */
const isOfTheServer = /^(?:53|58|XX)/;

/** Why rows stay where they are until the next turn; null when this is no reason to wait for it. */
export function reasonOf(error: unknown): string | null {
  if (error instanceof TableMoved) return anotherMoves;
  const { code } = classifyDatabaseError(error);
  return reasons[code] ?? (isOfTheServer.test(code) ? explainDatabaseError(error) : null);
}

/**
 * Why the tables were not exchanged in a try after which there may be another one. The server ends the transaction of a process
 * that has no turn for too long, by the limits of the exchange or those of a pooler: nothing is lost with it.
 *
 * @throws the error, when the next try would end alike
 */
export function whyPostponed(error: unknown): string {
  if (error instanceof SwapPostponed) return `the tables could not be exchanged: ${error.message}`;
  const { class: errorClass, code } = classifyDatabaseError(error);
  if (code === queryCanceled) return tookTooLong;
  if (busyCodes.includes(code)) return tableInUse;
  if (errorClass === 'transient' && !isOfTheServer.test(code)) return 'the exchange of the tables was ended';
  throw error;
}
