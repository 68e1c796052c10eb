import { hugeChars } from '../core/storable-json.ts';

/** A label value has at most so many characters: it is in each line of each scrape, and in the memory of whoever reads it. */
const labelChars = 120;

/** Where observations go that would need one series too many. */
export const otherLabel = 'other';

const unknownLabel = 'unknown';

/** Beyond it, writing a BigInt as text takes longer than all else. */
const largestBigInt = 2n ** 128n;

/**
 * The text that a label value is looked up by: cut, and otherwise as it came. Absent, empty and unreadable values are
 * `unknown`, objects too.
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
 * The text that a label value is kept and shown as. Well-formed, since two lone surrogates are one character in the text of a
 * scrape, and a copy, since a slice holds on to the whole text that it was cut from.
 */
export function toKeptLabel(label: string): string {
  return Buffer.from(label).toString();
}
