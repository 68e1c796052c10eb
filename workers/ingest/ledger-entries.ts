import type { AccountedRecords } from '../../shared/platform/ledger/chunk-statement.ts';
import type { BatchEntry, LedgerEntry } from './batcher.ts';

/** Where the ledger has each record of an entry. */
export function ledgerOf({ ledger, records }: BatchEntry): readonly (LedgerEntry | null)[] {
  return ledger ?? Array.from({ length: records }, () => null);
}

/** Where the ledger has the records of entries that are written together, chunk by chunk. */
export function accountedRecords(entries: readonly BatchEntry[]): AccountedRecords[] {
  const found: { account: LedgerEntry['account']; index: number; places: number[] }[] = [];
  let index = 0;
  for (const { ledger, records } of entries) {
    for (const [offset, entry] of (ledger ?? []).entries()) {
      const last = found.at(-1);
      const at = index + offset;
      if (entry === null) continue;
      if (last?.account === entry.account && last.index + last.places.length === at) last.places.push(entry.place);
      else found.push({ account: entry.account, index: at, places: [entry.place] });
    }
    index += records;
  }
  return found;
}
