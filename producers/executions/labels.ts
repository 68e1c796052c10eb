import { hugeChars } from '../core/storable-json.ts';

/** The longest label value: it is in every line of every scrape and in the memory of whatever reads it. */
const labelChars = 120;

/** The label value of observations beyond the last series. */
export const otherLabel = 'other';

const unknownLabel = 'unknown';

/** Beyond it, writing a BigInt as text takes longer than everything else. */
const largestBigInt = 2n ** 128n;

/**
 * Returns the text that a label value is looked up by, cut to the longest length. Absent, empty and unreadable values, and
 * objects, are `unknown`.
 */
export function toLabel(value: unknown): string {
  if (typeof value === 'string') {
    if (value === '') return unknownLabel;
    if (value.length <= labelChars) return value;
    return value.length <= hugeChars ? value.slice(0, labelChars) : otherLabel;
  }
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return String(value);
    case 'bigint':
      return value < largestBigInt && value > -largestBigInt ? String(value) : unknownLabel;
    case 'symbol':
      return toLabel(value.description);
    default:
      return unknownLabel;
  }
}

/**
 * Returns the text that a label value is kept and shown as. It is well-formed, since two lone surrogates would become one
 * character in a scrape, and a copy, since a slice would keep the whole original text in memory.
 */
export function toKeptLabel(label: string): string {
  return Buffer.from(label).toString();
}
