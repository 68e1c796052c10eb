import { hashOfId, ownersOf } from '../shared/contracts/erasure-subject.ts';
import { type JsonStatement, type JsonTransaction, queryWithJson } from '../shared/database.ts';
import type { DeadLetter } from './dead-letters.ts';

/**
 * Those of letters that are nobody's who was erased after their records were made. What does not say when it was made counts
 * as made before. Until the transaction ends, no erasure is noted.
 */
export async function withoutErased(
  transaction: JsonTransaction,
  letters: readonly DeadLetter[],
): Promise<readonly DeadLetter[]> {
  const owners = letters.flatMap(({ payload }, index) =>
    recordsOf(payload).flatMap((record) =>
      ownersOf(record).map(({ kind, id, madeAt }) => ({ index, kind, hash: hashOfId(id), madeAt })),
    ),
  );
  if (owners.length === 0) return letters;
  const found = await queryWithJson(transaction, erasedStatement, JSON.stringify(owners));
  const erased = new Set(found.map(([index]) => Number(index)));
  return letters.filter((_letter, index) => !erased.has(index));
}

/** The first two parts lock no row, but both tables that an erasure is noted in: see storeStatement of the requests. */
const erasedStatement: JsonStatement = [
  `with erasures as (select from sluice.subject_erasure where false for key share),
  deletions as (select from sluice.request_tombstone where false for key share),
  erasure as (
    select kind, subject_hash, erased_before from sluice.subject_erasure
    union all select 'creator', creator_hash, erased_before from sluice.creator_erasure)
  select distinct owner."index" from json_to_recordset(`,
  `::json) as owner ("index" integer, "kind" text, "hash" text, "madeAt" timestamptz)
  join erasure on erasure.kind = owner."kind" and erasure.subject_hash = decode(owner."hash", 'hex')
    and coalesce(owner."madeAt" <= erasure.erased_before, true)`,
];

/** The record of a letter, or those of a chunk that could not be read. */
function recordsOf(payload: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(payload);
    const { records } = (parsed ?? {}) as { records?: unknown };
    return [parsed, ...(Array.isArray(records) ? records : [])];
  } catch {
    return [];
  }
}
