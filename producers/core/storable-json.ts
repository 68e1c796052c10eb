import { createKeyLists, wideKeys } from './key-lists.ts';

/** Limits of a JSON document. */
export interface JsonBounds {
  /** levels of nesting */
  depth: number;
  /** values in the whole document */
  nodes: number;
  /** characters in one string, or in one key */
  stringChars: number;
  /** characters of the whole document, roughly: work stops there. @default Infinity */
  chars?: number;
}

/** Told of every value that could not be stored as it was: its path, and what was done to it. */
export type OnChange = (path: string, what: string) => void;

const replacement = '\uFFFD';

/**
 * A longer text is not read: if it was concatenated, V8 copies all of it before it returns the first character, which takes
 * milliseconds.
 */
export const hugeChars = 16 * 1_048_576;

/** Returns what is stored in place of a text that is not read. */
export function describeHuge(text: string): string {
  return `[text of ${text.length} characters]`;
}

const notPlain = Symbol('not plain');

/** How much a copy may still take, and roughly how many characters of JSON it takes so far. */
interface CopyBudget {
  nodes: number;
  stringChars: number;
  chars: number;
  maxChars: number;
}

/**
 * Copies plain JSON to be serialised later, and estimates its characters. Takes a third of the time of serialising it. Returns
 * null unless JSON.stringify alone represents the value faithfully: plain objects and arrays, finite numbers, within the
 * bounds. Strings are not searched here; `hasUnstorableEscapes` searches the finished text.
 */
export function copyPlainJson(value: unknown, bounds: JsonBounds): { copy: unknown; chars: number } | null {
  const budget: CopyBudget = {
    nodes: bounds.nodes,
    stringChars: bounds.stringChars,
    chars: 0,
    maxChars: bounds.chars ?? Number.POSITIVE_INFINITY,
  };
  const copy = copyPlain(value, bounds.depth, budget);
  return copy === notPlain ? null : { copy, chars: budget.chars };
}

const scalarChars = 6;

function copyPlain(item: unknown, depthLeft: number, budget: CopyBudget): unknown {
  budget.nodes -= 1;
  if (budget.nodes < 0 || budget.chars > budget.maxChars) return notPlain;
  switch (typeof item) {
    case 'string':
      budget.chars += item.length + 3;
      return item.length <= budget.stringChars ? item : notPlain;
    case 'number':
      budget.chars += scalarChars;
      return Number.isFinite(item) ? item : notPlain;
    case 'boolean':
    case 'undefined':
      budget.chars += scalarChars;
      return item;
    case 'object':
      if (item === null) {
        budget.chars += scalarChars;
        return item;
      }
      if (depthLeft === 0) return notPlain;
      return Array.isArray(item)
        ? copyPlainList(item, depthLeft - 1, budget)
        : copyPlainObject(item, depthLeft - 1, budget);
    default:
      return notPlain;
  }
}

function copyPlainList(list: readonly unknown[], depthLeft: number, budget: CopyBudget): unknown {
  if (list.length > budget.nodes) return notPlain;
  const copy: unknown[] = [];
  for (let index = 0; index < list.length; index += 1) {
    const item = copyPlain(list[index], depthLeft, budget);
    if (item === notPlain) return notPlain;
    copy.push(item);
  }
  return copy;
}

/** Whether the value is an object without a class of its own. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function copyPlainObject(object: object, depthLeft: number, budget: CopyBudget): unknown {
  if (!isPlainObject(object)) return notPlain;
  let nested: [key: string, copy: unknown][] | null = null;
  let keys = 0;
  for (const key in object) {
    keys += 1;
    if (keys > wideKeys) return notPlain;
    if (key === 'toJSON' || key.length > budget.stringChars) return notPlain;
    budget.chars += key.length + 3;
    const item = (object as Record<string, unknown>)[key];
    const copied = copyPlain(item, depthLeft, budget);
    if (copied === notPlain) return notPlain;
    if (copied !== item) {
      nested ??= [];
      nested.push([key, copied]);
    }
  }
  // Copied only once it is known not to be wide: copying an object with 200,000 keys takes half a second.
  const copy: Record<string, unknown> = { ...object };
  if (nested !== null) for (const [key, item] of nested) copy[key] = item;
  return copy;
}

/**
 * Whether a text by JSON.stringify may contain what PostgreSQL refuses in text and jsonb: NUL and lone surrogates, written as
 * `\u0000` and `\udxxx`. May be wrong on the safe side, if a backslash precedes those letters.
 */
export function hasUnstorableEscapes(json: string): boolean {
  // Nearly every text has no such escape at all, and one search tells.
  return json.includes('\\u') && (json.includes('\\u0000') || json.includes('\\ud'));
}

/** Replaces NUL and lone surrogates with U+FFFD. */
export function toStorableText(text: string): string {
  return text.replaceAll('\0', replacement).toWellFormed();
}

/** The least characters of a value with its comma; what a number of four characters adds; what a string or a key adds. */
const valueChars = 2;
const longNumberChars = 3;
const quoteChars = 1;

/** The result of a conversion. */
export interface StorableJson {
  value: unknown;
  /** the document has more characters than allowed, and is incomplete */
  isOver: boolean;
  /** a lower bound: escapes and some digits are not counted */
  chars: number;
  nodes: number;
  /** characters of the longest string or key, as it was kept */
  longestString: number;
}

/** Returns only the value of `convertToStorableJson`. */
export function toStorableJson(value: unknown, bounds: JsonBounds, onChange: OnChange, rootPath: string): unknown {
  return convertToStorableJson(value, bounds, onChange, rootPath).value;
}

/**
 * Copies anything as JSON that PostgreSQL accepts. Nothing is left out silently: numbers that JSON lacks, BigInt, functions and
 * the like become text, cycles and values beyond the bounds become a marker, and `onChange` is told of each. Never throws,
 * whatever getters, proxies or toJSON methods do, and does no more work than the bounds allow.
 */
export function convertToStorableJson(
  value: unknown,
  bounds: JsonBounds,
  onChange: OnChange,
  rootPath: string,
  listKeys = createKeyLists(),
): StorableJson {
  const ancestors = new Set<object>();
  const maxChars = bounds.chars ?? Number.POSITIVE_INFINITY;
  let nodes = 0;
  let chars = 0;
  let longestString = 0;

  const isSpent = (): boolean => nodes >= bounds.nodes || chars > maxChars;

  const changed = (path: string, what: string, substitute: unknown): unknown => {
    onChange(path, what);
    return substitute;
  };

  const convert = (item: unknown, path: string): unknown => {
    if (isSpent()) return changed(path, 'cut, too many values', '[cut]');
    nodes += 1;
    chars += valueChars;
    switch (typeof item) {
      case 'boolean':
      case 'undefined':
        return item;
      case 'string':
        return convertString(item, path);
      case 'number':
        // An exact count would be too expensive.
        if (item >= 1_000 || item <= -100) chars += longNumberChars;
        return Number.isFinite(item) ? item : changed(path, `${item} stored as text`, String(item));
      case 'bigint':
        return changed(path, 'BigInt stored as text', convertString(writeBigInt(item), path));
      case 'symbol':
      case 'function':
        return changed(path, `${typeof item} stored as its name`, `[${typeof item}]`);
      case 'object':
        return item === null ? null : convertObject(item, path);
    }
  };

  const convertString = (text: string, path: string): string => {
    if (text.length > hugeChars) {
      onChange(path, `${text.length} characters left out`);
      return describeHuge(text);
    }
    const cut = text.length > bounds.stringChars;
    const kept = cut ? text.slice(0, bounds.stringChars) : text;
    const clean = toStorableText(kept);
    chars += clean.length + quoteChars;
    longestString = Math.max(longestString, clean.length);
    if (cut) onChange(path, `cut from ${text.length} to ${bounds.stringChars} characters`);
    else if (clean !== text) onChange(path, 'NUL or a lone surrogate replaced');
    return cut ? `${clean}…` : clean;
  };

  const convertObject = (item: object, path: string): unknown => {
    if (ancestors.has(item)) return changed(path, 'cycle cut', '[circular]');
    if (ancestors.size >= bounds.depth) return changed(path, 'cut, nested too deeply', '[too deep]');
    ancestors.add(item);
    try {
      return convertKnown(item, path);
    } catch (error) {
      return changed(path, 'could not be read', `[unreadable: ${messageOf(error)}]`);
    } finally {
      ancestors.delete(item);
    }
  };

  const convertKnown = (item: object, path: string): unknown => {
    if (item instanceof Date)
      return changed(
        path,
        'Date stored as text',
        Number.isNaN(item.getTime()) ? 'Invalid Date' : convertString(item.toISOString(), path),
      );
    if (item instanceof Error) return changed(path, 'Error stored as its message', convertError(item, path));
    if (item instanceof Map) return changed(path, 'Map stored as a list of entries', convertCollection(item, path));
    if (item instanceof Set) return changed(path, 'Set stored as a list', convertCollection(item, path));
    if (ArrayBuffer.isView(item)) return changed(path, 'bytes left out', `[${item.byteLength} bytes]`);
    if ('toJSON' in item && typeof item.toJSON === 'function') return convert(item.toJSON(), path);
    if (Array.isArray(item)) return convertList(item, path);
    // Its keys are not listed: each of its characters is one.
    if (item instanceof String)
      return changed(path, 'a boxed text stored as text', convertString(item.valueOf(), path));
    if (isOpaque(item))
      return changed(path, 'an object without properties stored as text', convertString(String(item), path));
    return convertRecord(item as Record<string, unknown>, path);
  };

  const convertError = ({ name, message }: Error, path: string): string =>
    convertString(
      typeof message === 'string' && message.length > hugeChars
        ? `${name}: ${describeHuge(message)}`
        : `${name}: ${message}`,
      path,
    );

  /** Whether an object has its content elsewhere than in properties: a boxed number, a regular expression, a promise. */
  const isOpaque = (item: object): boolean => !isPlainObject(item) && listKeys(item).total === 0;

  const convertList = (list: readonly unknown[], path: string): unknown[] => {
    const copy: unknown[] = [];
    for (let index = 0; index < list.length && !isSpent(); index += 1)
      copy.push(convert(list[index], `${path}[${index}]`));
    if (copy.length < list.length) onChange(path, `cut from ${list.length} to ${copy.length} items`);
    return copy;
  };

  const convertCollection = (items: Iterable<unknown> & { size: number }, path: string): unknown[] => {
    const copy: unknown[] = [];
    for (const item of items) {
      if (isSpent()) break;
      copy.push(convert(item, `${path}[${copy.length}]`));
    }
    if (copy.length < items.size) onChange(path, `cut from ${items.size} to ${copy.length} entries`);
    return copy;
  };

  const convertRecord = (record: Record<string, unknown>, path: string): Record<string, unknown> => {
    // Without a prototype, so that __proto__ is a key like any other.
    const copy: Record<string, unknown> = Object.create(null);
    const { keys, total } = listKeys(record);
    let kept = 0;
    for (const key of keys) {
      if (isSpent()) break;
      const name = convertString(key, `${path} key`);
      if (name in copy) onChange(`${path}.${name}`, 'replaces another of the same name');
      copy[name] = readProperty(record, key, `${path}.${name}`);
      kept += 1;
    }
    if (kept < total) onChange(path, `cut from ${total} to ${kept} keys`);
    return copy;
  };

  const readProperty = (record: Record<string, unknown>, key: string, path: string): unknown => {
    let item: unknown;
    try {
      item = record[key];
    } catch (error) {
      return changed(path, 'could not be read', `[unreadable: ${messageOf(error)}]`);
    }
    return convert(item, path);
  };

  const converted = convert(value, rootPath);
  return { value: converted, isOver: chars > maxChars, chars, nodes, longestString };
}

/** Beyond it, computing the digits alone takes longer than a record may take. */
const largestBigInt = 2n ** 4_096n;

export function writeBigInt(number: bigint): string {
  return number < largestBigInt && number > -largestBigInt ? number.toString() : '[bigint]';
}

/** What was thrown may itself be unreadable. */
function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? toStorableText(error.message.slice(0, 200)) : 'not an Error';
  } catch {
    return 'not an Error';
  }
}
