import { type Database, queryWithJson } from '../../shared/database.ts';
import { storeStatement } from './statement.ts';

/** How one record of a batch ended. */
export type RequestOutcome =
  /** there was no row, now there is */
  | 'inserted'
  /** its running row was ended */
  | 'updated'
  /** its row had ended before, or had begun before, or another record of the same batch did the same */
  | 'duplicate'
  /** its row, or its creator's rows, were deleted: nothing is stored any more */
  | 'tombstoned'
  /** its row is in a state that it cannot be ended from, or (state null) kept appearing while statements ran */
  | 'conflict'
  /** its row, or an earlier record of the same batch, belongs to somebody else */
  | 'foreign';

/** Records of a batch that ended alike. */
export interface EndedRequests<Outcome = RequestOutcome> {
  outcome: Outcome;
  /** of the row that was there before; null when there was none */
  state: string | null;
  /** their places in the batch, from 0 */
  indexes: number[];
}

/**
 * Stores a JSON array of request records in one statement with one parameter, in the order of the array. Safe to repeat.
 *
 * A beginning makes a row in state `processing`; a completion ends it, or makes an ended row where there is none. Of several
 * records with one id in the array the first completion counts, or the first beginning when there is none; whose record is
 * the first owns the id.
 *
 * @returns every record, by how it ended
 * @throws what the database says; then nothing is stored
 */
export async function storeRequests(database: Database, json: string): Promise<EndedRequests[]> {
  const ended = await runStatement(database, json);
  const raced = ended.flatMap(({ outcome, indexes }) => (outcome === 'raced' ? indexes : [])).sort((a, b) => a - b);
  if (raced.length === 0) return ended.map(settled);
  // The rows that were in the way are there now, and seen.
  const records = JSON.parse(json) as unknown[];
  const again = await runStatement(database, JSON.stringify(raced.map((index) => records[index])));
  return [
    ...ended.filter(({ outcome }) => outcome !== 'raced'),
    ...again.map((group) => ({ ...group, indexes: group.indexes.map((index) => raced[index] ?? 0) })),
  ].map(settled);
}

type StatementOutcome = RequestOutcome | 'raced';

function settled({ outcome, ...group }: EndedRequests<StatementOutcome>): EndedRequests {
  return { ...group, outcome: outcome === 'raced' ? 'conflict' : outcome };
}

async function runStatement(database: Database, json: string): Promise<EndedRequests<StatementOutcome>[]> {
  const rows = (await queryWithJson(database, storeStatement, json)) as [StatementOutcome, string | null, number[]][];
  return rows.map(([outcome, state, indexes]) => ({ outcome, state, indexes: indexes.map(Number) }));
}
