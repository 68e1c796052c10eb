import type { BatchEntry, LedgerEntry } from './batcher.ts';
import { ledgerOf } from './ledger-entries.ts';
import type { Unstored } from './queue-definition.ts';
import { recordTexts } from './record-texts.ts';

/** What a part of a batch came to: written, with what the statement left out, or not for a reason of its own. */
export type PartResult = { unstored: readonly Unstored[] } | { failedWith: { code: string; reason: string } };

/**
 * Writes records in parts that could not be written together for a reason of the statement: a lock on one row, or more
 * than can be done in time. What still fails alone is left for later.
 *
 * Bounded: after ⌈log2 n⌉ + 2 failures, enough to find one record, all that is not written yet is left for later. Each
 * failure may take as long as a statement may, and when everything is locked, all parts fail.
 */
export async function writeInParts(
  entries: readonly BatchEntry[],
  write: (entries: readonly BatchEntry[]) => Promise<PartResult>,
  cause: { code: string; reason: string },
): Promise<readonly Unstored[]> {
  const units = entries.flatMap(toUnits);
  let failuresLeft = Math.ceil(Math.log2(units.length)) + 2;
  const starts = startsOf(units);

  const leave = (from: number, until: number, { code, reason }: typeof cause): Unstored[] =>
    units.slice(from, until).flatMap(({ records }, offset) =>
      Array.from({ length: records }, (_, within): Unstored => {
        return { index: (starts[from + offset] ?? 0) + within, code, reason, disposition: 'retryLater' };
      }),
    );

  const writeHalves = async (from: number, until: number, why: typeof cause): Promise<Unstored[]> => {
    if (until - from < 2) return leave(from, until, why);
    const middle = from + Math.floor((until - from) / 2);
    return [...(await writePart(from, middle, why)), ...(await writePart(middle, until, why))];
  };

  const writePart = async (from: number, until: number, why: typeof cause): Promise<Unstored[]> => {
    if (failuresLeft === 0) return leave(from, until, why);
    const result = await write([join(units.slice(from, until))]);
    if ('unstored' in result) return result.unstored.map((one) => ({ ...one, index: one.index + (starts[from] ?? 0) }));
    failuresLeft -= 1;
    return writeHalves(from, until, result.failedWith);
  };

  return writeHalves(0, units.length, cause);
}

/** An entry for each record; one that cannot be taken apart stays whole, and takes no other with it. */
function toUnits(entry: BatchEntry): BatchEntry[] {
  try {
    const places = ledgerOf(entry);
    return recordTexts(entry.json).map((json, index) => toEntry([{ json, ledger: places[index] ?? null }]));
  } catch {
    return [entry];
  }
}

/** Entries as one. */
function join(entries: readonly BatchEntry[]): BatchEntry {
  const json = `[${entries.map((entry) => entry.json.slice(1, -1)).join(',')}]`;
  const records = entries.reduce((sum, one) => sum + one.records, 0);
  return { json, records, ledger: entries.flatMap(ledgerOf) };
}

/** How many records come before each entry. */
export function startsOf(entries: readonly BatchEntry[]): number[] {
  let start = 0;
  return entries.map(({ records }) => {
    start += records;
    return start - records;
  });
}

/** Records as one entry. */
export function toEntry(records: readonly { json: string; ledger: LedgerEntry | null }[]): BatchEntry {
  const json = `[${records.map((record) => record.json).join(',')}]`;
  return { json, records: records.length, ledger: records.map(({ ledger }) => ledger) };
}
