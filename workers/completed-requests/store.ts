import { setTimeout as sleep } from 'node:timers/promises';
import { type AccountedRecords, toAccountedRecords } from '../../shared/platform/ledger/chunk-statement.ts';
import { type Database, type JsonTransaction, queryWithJson } from '../../shared/platform/postgres/database.ts';
import { recordTexts } from '../ingest/record-texts.ts';
import { withFacts } from './facts.ts';
import { accountedStoreStatement, storeStatement } from './statement.ts';

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
  /** its row is there, and somebody else holds it */
  | 'locked'
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

/** How long a row that is locked has time to be let go: other workers hold rows for as long as one statement takes. */
const lockedWaitMs = 50;

/**
 * Stores a JSON array of request records in one statement with one parameter, in the order of the array. Safe to repeat.
 *
 * A beginning makes a row in state `processing`; a completion ends it, or makes an ended row where there is none. Of several
 * records with one id in the array the first completion counts, or the first beginning when there is none; whose record is
 * the first owns the id.
 *
 * Those whose row appeared meanwhile, or is locked, are tried once more when all others are stored.
 *
 * @param accounted those that have an account, which is written with them
 * @returns every record, by how it ended
 * @throws what the database says; then nothing is stored, or nothing of those that were tried once more
 */
export async function storeRequests(
  door: Database | JsonTransaction,
  json: string,
  accounted: readonly AccountedRecords[] = [],
): Promise<EndedRequests[]> {
  const told = withFacts(json);
  const ended = await runStatement(door, told, accounted);
  const isOpen = ({ outcome }: EndedRequests<StatementOutcome>): boolean => outcome === 'raced' || outcome === 'locked';
  const open = ended
    .filter(isOpen)
    .flatMap(({ indexes }) => indexes)
    .sort((a, b) => a - b);
  if (open.length === 0) return ended.map(settled);
  if (ended.some(({ outcome }) => outcome === 'locked')) await sleep(lockedWaitMs);
  const texts = recordTexts(told);
  const again = await runStatement(
    door,
    `[${open.map((index) => texts[index]).join(',')}]`,
    amongThem(accounted, open),
  );
  return [
    ...ended.filter((group) => !isOpen(group)),
    ...again.map((group) => ({ ...group, indexes: group.indexes.map((index) => open[index] ?? 0) })),
  ].map(settled);
}

type StatementOutcome = RequestOutcome | 'raced';

function settled({ outcome, ...group }: EndedRequests<StatementOutcome>): EndedRequests {
  return { ...group, outcome: outcome === 'raced' ? 'conflict' : outcome };
}

/** The accounts of some of the records, which are alone in a statement. @param indexes of theirs in the one before */
function amongThem(accounted: readonly AccountedRecords[], indexes: readonly number[]): AccountedRecords[] {
  return indexes.flatMap((index, at) =>
    accounted.flatMap(({ account, places, index: first }): AccountedRecords[] => {
      const place = places[index - first];
      return place === undefined ? [] : [{ account, places: [place], index: at }];
    }),
  );
}

async function runStatement(
  door: Database | JsonTransaction,
  json: string,
  accounted: readonly AccountedRecords[],
): Promise<EndedRequests<StatementOutcome>[]> {
  const accounts = toAccountedRecords(accounted);
  const rows = (await (accounts === null
    ? queryWithJson(door, storeStatement, json)
    : queryWithJson(door, accountedStoreStatement, json, accounts))) as [StatementOutcome, string | null, number[]][];
  return rows.map(([outcome, state, indexes]) => ({ outcome, state, indexes: indexes.map(Number) }));
}
