import { type Chunk, chunkId, type RecordRun } from '../../shared/contracts/chunk.ts';
import { ledgerHeaderOf, recordsOf as sizeOf } from '../../shared/contracts/ledger-header.ts';
import type { LedgerCounters, LedgerReport } from '../../shared/contracts/ledger-report.ts';
import { unwrapChunkAtOnce } from '../../shared/platform/chunk-compression.ts';

/** A chunk of which it is known that it says what it is to the ledger. */
export interface AccountedChunk {
  id: string;
  seq: number;
  before: number;
  of: readonly RecordRun[];
  from: number;
  /** in the whole chunk */
  size: number;
  records: unknown[];
}

/** @param data of a job. @throws when it says nothing to the ledger, or something wrong */
export function accountOf(data: string): AccountedChunk {
  const unwrapped = unwrapChunkAtOnce(data);
  if (unwrapped.kind === 'damaged') throw new Error(unwrapped.reason);
  const chunk = JSON.parse(unwrapped.text) as Chunk;
  const header = ledgerHeaderOf(chunk);
  if (header === null) throw new Error(`a chunk without an account: ${unwrapped.text.slice(0, 200)}`);
  const { seq, records } = chunk;
  return { id: chunkId(chunk), seq, ...header, size: sizeOf(header), records };
}

/** `minute realm`, as a key. */
const keyOf = (minute: number, realm: string | null): string => `${minute} ${JSON.stringify(realm)}`;

/** How many records of each minute and realm whole chunks have. */
export function recordsByMinute(chunks: readonly Pick<AccountedChunk, 'of'>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { of } of chunks)
    for (const [realm, minute, count] of of) sums[keyOf(minute, realm)] = (sums[keyOf(minute, realm)] ?? 0) + count;
  return sums;
}

/** One counter by minute and realm, as a reader of reports knows it who keeps the greatest. */
export function readMinutes(
  reports: readonly Pick<LedgerReport, 'minutes'>[],
  read: (counters: LedgerCounters) => number,
): Record<string, number> {
  const known: Record<string, number> = {};
  for (const { minutes } of reports) {
    for (const [minute, realm, counters] of minutes) {
      const key = keyOf(minute, realm);
      if (read(counters) > 0) known[key] = Math.max(known[key] ?? 0, read(counters));
    }
  }
  return known;
}

export function droppedIn({ dropped = {} }: LedgerCounters): number {
  return sum(Object.values(dropped));
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
