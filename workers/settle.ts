import { classifyDatabaseError } from '../shared/database-errors.ts';
import { toError } from '../shared/errors.ts';
import type { BatchEntry } from './batcher.ts';

/**
 * Writes entries in one statement, and when the database refuses it for something in the rows, halves the batch until
 * each entry that is at fault stands alone. The others commit.
 *
 * @returns for each entry, in order, null when it is committed, else why it cannot be
 */
export async function settleEntries(
  entries: readonly BatchEntry[],
  write: (entries: readonly BatchEntry[]) => Promise<void>,
): Promise<(Error | null)[]> {
  try {
    await write(entries);
    return entries.map(() => null);
  } catch (thrown) {
    const error = toError(thrown);
    if (entries.length === 1 || classifyDatabaseError(error).class !== 'data') return entries.map(() => error);
    const middle = Math.ceil(entries.length / 2);
    const first = await settleEntries(entries.slice(0, middle), write);
    return [...first, ...(await settleEntries(entries.slice(middle), write))];
  }
}
