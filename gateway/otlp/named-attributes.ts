import { isHarmless, maxValues } from '../body/json-parts.ts';
import type { Attributes, AttributeValue } from './attributes.ts';

/** The first of these attributes that says something. Instrumentations write null, blanks and Python's None for nothing. */
export function firstOf(attributes: Attributes, names: readonly string[]): AttributeValue | undefined {
  for (const name of names) {
    const value = attributes.get(name);
    if (value !== undefined && value !== null && value !== 'None' && !isBlank(value)) return value;
  }
  return undefined;
}

const isBlank = (value: AttributeValue): boolean => typeof value === 'string' && !/\S/.test(value);

/** As `firstOf`, as text. */
export function firstText(attributes: Attributes, names: readonly string[]): string | undefined {
  const value = firstOf(attributes, names);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** The attributes below a prefix, by the rest of their names. Null: there are none. */
export function below(attributes: Attributes, prefix: string): Record<string, AttributeValue> | null {
  const entries = [...attributes].flatMap(([name, value]): [string, AttributeValue][] =>
    name.startsWith(prefix) && name.length > prefix.length ? [[name.slice(prefix.length), value]] : [],
  );
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

/** The objects that attributes such as `gen_ai.prompt.0.role` make, in the order of their numbers. Null: there are none. */
export function indexed(attributes: Attributes, prefix: string): Record<string, AttributeValue>[] | null {
  const objects = new Map<number, [string, AttributeValue][]>();
  for (const [name, value] of attributes) {
    if (!name.startsWith(prefix)) continue;
    const [, index, field] = /^(\d{1,6})\.(.+)$/s.exec(name.slice(prefix.length)) ?? [];
    if (index === undefined || field === undefined) continue;
    const entries = objects.get(Number(index)) ?? [];
    entries.push([field, value]);
    objects.set(Number(index), entries);
  }
  if (objects.size === 0) return null;
  return [...objects].toSorted(([a], [b]) => a - b).map(([, entries]) => Object.fromEntries(entries));
}

/**
 * An object or a list that an attribute has as JSON, since attributes had no structure; any other value as it is. Text with more values
 * than are parsed at once stays text.
 */
export function unpack(value: AttributeValue | undefined, begin = /^\s*[[{]/): AttributeValue | undefined {
  if (typeof value !== 'string' || !begin.test(value) || mayHaveTooManyValues(value)) return value;
  try {
    return JSON.parse(value) as AttributeValue;
  } catch {
    return value;
  }
}

/** A value follows each of these. */
const beginsValue = new Set([',', '[', '{'].map((mark) => mark.charCodeAt(0)));

/** What stands in the strings of the text counts as well: they may be JSON that is parsed afterwards. */
function mayHaveTooManyValues(text: string): boolean {
  if (isHarmless(text)) return false;
  let marks = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (!beginsValue.has(text.charCodeAt(at))) continue;
    marks += 1;
    if (marks > maxValues) return true;
  }
  return false;
}

/** As `unpack`, for each of a list, too, in which texts may be JSON as well. */
export function unpackAll(value: AttributeValue | undefined): AttributeValue | undefined {
  const unpacked = unpack(value);
  return Array.isArray(unpacked) ? unpacked.map((one) => unpack(one, /^\s*[[{"]/) ?? null) : unpacked;
}

/** Without what is undefined or null. */
export function present(fields: Record<string, AttributeValue | undefined>): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      (entry): entry is [string, AttributeValue] => entry[1] !== undefined && entry[1] !== null,
    ),
  );
}
