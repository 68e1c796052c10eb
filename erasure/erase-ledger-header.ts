import type { Chunk, PlaceRange, RecordRun } from '../shared/contracts/chunk.ts';
import { erasedRealm } from '../shared/contracts/erasure-subject.ts';
import { ledgerHeaderOf } from '../shared/contracts/ledger-header.ts';
import type { QueueName } from '../shared/contracts/queues.ts';
import { type ChunkAccount, placesOf, toChunkAccount, toRanges } from '../shared/platform/ledger/chunk-account.ts';
import type { ErasureScope } from './erase-record.ts';

/** What a chunk says to the ledger when some of its records are erased. */
export interface LedgerEdit {
  of: readonly RecordRun[];
  erased: readonly PlaceRange[];
  /** whether it names the subject no more, but did */
  isRenamed: boolean;
  /** of the chunk as it came */
  account: ChunkAccount;
}

/**
 * Takes the subject's name out of what a chunk says to the ledger, and notes the places of records that go, so that they are not
 * missed. Null when it says nothing to it.
 *
 * @param gone the records that go, by their places in the list
 */
export function editLedgerHeader(
  queue: QueueName,
  chunk: Chunk,
  { scope, gone }: { scope: ErasureScope; gone: readonly number[] },
): LedgerEdit | null {
  const header = ledgerHeaderOf(chunk);
  const account = header && toChunkAccount(queue, chunk, header, chunk.records.length);
  if (header === null || account === null) return null;
  const places = placesOf(account);
  const taken = new Set([
    ...header.erased.flatMap(([from, until]) => numbers(from, until)),
    ...gone.map((at) => places[at] ?? 0),
  ]);
  const of = header.of.map(([realm, minute, count]): RecordRun => [toRealm(realm, minute, scope), minute, count]);
  return {
    of,
    erased: toRanges([...taken].sort((a, b) => a - b)),
    isRenamed: of.some(([realm], index) => realm !== header.of[index]?.[0]),
    account: { ...account, runs: renamed(account.runs, scope), parts: renamed(account.parts, scope) },
  };
}

/** What stands for a realm after an erasure. */
export function toRealm(realm: string | null, minute: number, { subject, naming, before, ownOnly }: ErasureScope) {
  if (realm === null) return null;
  const isTheirs = subject.kind === 'realm' && realm === subject.id;
  if (isTheirs) return minute * 60_000 <= Date.parse(before) ? erasedRealm(realm) : realm;
  return !ownOnly && naming.isIn(JSON.stringify(realm)) ? erasedRealm(realm) : realm;
}

function renamed(runs: readonly RecordRun[], scope: ErasureScope): RecordRun[] {
  return runs.map(([realm, minute, count]) => [toRealm(realm, minute, scope), minute, count]);
}

function numbers(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}
