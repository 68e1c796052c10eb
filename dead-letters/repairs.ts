import { UsageError } from '../shared/platform/errors.ts';
import { isExactNumber, parseExactly } from '../shared/platform/exact-json.ts';

/** Changes the JSON of a dead record so that it can be stored. */
export type Repair = (record: unknown) => unknown;

/** The repairs by name, for help texts. */
export const repairSyntax = 'strip-nul, drop:FIELD, truncate:FIELD:CHARS';

/**
 * Parses a repair:
 * - `strip-nul`: every NUL and lone surrogate in texts and keys becomes U+FFFD
 * - `drop:FIELD`: the record loses a field, such as one that the contract does not know
 * - `truncate:FIELD:CHARS`: truncates a text field
 *
 * @throws UsageError if there is no such repair
 */
export function parseRepair(text: string): Repair {
  if (text === 'strip-nul') return stripNul;
  const drop = /^drop:(\w+)$/.exec(text);
  if (drop) return (record) => withField(record, drop[1] ?? '', () => undefined);
  const truncate = /^truncate:(\w+):(\d{1,7})$/.exec(text);
  if (truncate) return (record) => withField(record, truncate[1] ?? '', (value) => cut(value, Number(truncate[2])));
  throw new UsageError(`there is no repair ${JSON.stringify(text)}; accepted: ${repairSyntax}`);
}

/** Applies repairs in order to a record's JSON. Without repairs, the text stays the same to the last character. */
export function repair(payload: string, repairs: readonly Repair[]): string {
  if (repairs.length === 0) return payload;
  return JSON.stringify(repairs.reduce((record, change) => change(record), parseExactly(payload)));
}

function stripNul(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD').toWellFormed();
  if (Array.isArray(value)) return value.map(stripNul);
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [stripNul(key), stripNul(item)]));
}

function withField(record: unknown, field: string, change: (value: unknown) => unknown): unknown {
  if (typeof record !== 'object' || record === null || Array.isArray(record) || !Object.hasOwn(record, field))
    return record;
  return { ...record, [field]: change((record as Record<string, unknown>)[field]) };
}

function cut(value: unknown, chars: number): unknown {
  return typeof value === 'string' ? value.slice(0, chars).toWellFormed() : value;
}
