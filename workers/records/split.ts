import type { ClassifiedDatabaseError } from '../../shared/database-errors.ts';
import { parseExactly } from '../../shared/exact-json.ts';
import type { BatchEntry } from '../batcher.ts';

/** Cancelled, as a rule because it took too long; out of memory; out of disk. */
const sizeCodes = new Set(['57014', '53200', '53100']);
const attemptsBeforeSplit = 3;

/**
 * Whether a statement that failed is to be tried in two halves from now on. Most likely the database is only slow, or
 * something is locked; but a statement that cannot be done in time would be repeated in vain for ever.
 */
export function isPerhapsTooLarge({ code }: ClassifiedDatabaseError, attempt: number): boolean {
  return sizeCodes.has(code) && attempt + 1 >= attemptsBeforeSplit;
}

/** Two halves by number of records, or null for a single record. */
export function splitEntries(entries: readonly BatchEntry[]): [BatchEntry[], BatchEntry[]] | null {
  const texts = entries.flatMap(({ json }) =>
    (parseExactly(json) as unknown[]).map((record) => JSON.stringify(record)),
  );
  if (texts.length < 2) return null;
  const middle = Math.ceil(texts.length / 2);
  const toEntries = (half: readonly string[]): BatchEntry[] => [{ json: `[${half.join(',')}]`, records: half.length }];
  return [toEntries(texts.slice(0, middle)), toEntries(texts.slice(middle))];
}
