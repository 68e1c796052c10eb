import { hashOfId, ownersOf } from '../shared/contracts/erasure-subject.ts';
import { type JsonStatement, type JsonTransaction, queryWithJson } from '../shared/platform/postgres/database.ts';
import type { DeadLetter } from './dead-letter.ts';

/**
 * The dead letters that belong to nobody who was erased after their records were made. A record that does not say when it was
 * made counts as made before. No erasure can be noted until the transaction ends.
 */
export async function withoutErased(
  transaction: JsonTransaction,
  deadLetters: readonly DeadLetter[],
): Promise<readonly DeadLetter[]> {
  const owners = deadLetters.flatMap(({ payload }, index) =>
    recordsOf(payload).flatMap((record) =>
      ownersOf(record).map(({ kind, id, madeAt }) => ({ index, kind, hash: hashOfId(id), madeAt })),
    ),
  );
  const erased = new Set<number>();
  for (const { concerns, statement } of marks) {
    const some = owners.filter(({ kind }) => concerns(kind));
    // A worker has rights to the tables of its own records, and may have none to the others.
    const found = some.length === 0 ? [] : await queryWithJson(transaction, statement, JSON.stringify(some));
    for (const [index] of found) erased.add(Number(index));
  }
  return deadLetters.filter((_letter, index) => !erased.has(index));
}

const input = `::json) as owner ("index" integer, "kind" text, "hash" text, "madeAt" timestamptz)`;
const isBefore = `coalesce(owner."madeAt" <= erasure.erased_before, true)`;

/** The first part of each statement locks no rows, but the table that holds off an erasure: see storeStatement of the requests. */
const marks: { concerns(kind: string): boolean; statement: JsonStatement }[] = [
  {
    concerns: (kind) => kind !== 'creator',
    statement: [
      `with erasures as (select from sluice.subject_erasure where false for key share)
      select distinct owner."index" from json_to_recordset(`,
      `${input} join sluice.subject_erasure as erasure
        on erasure.kind = owner."kind" and erasure.subject_hash = decode(owner."hash", 'hex') and ${isBefore}`,
    ],
  },
  {
    concerns: (kind) => kind === 'creator',
    statement: [
      `with deletions as (select from sluice.request_tombstone where false for key share)
      select distinct owner."index" from json_to_recordset(`,
      `${input} join sluice.creator_erasure as erasure
        on erasure.creator_hash = decode(owner."hash", 'hex') and ${isBefore}`,
    ],
  },
];

/** The record of a dead letter, or the records of an unreadable chunk. */
function recordsOf(payload: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(payload);
    const { records } = (parsed ?? {}) as { records?: unknown };
    return [parsed, ...(Array.isArray(records) ? records : [])];
  } catch {
    return [];
  }
}
