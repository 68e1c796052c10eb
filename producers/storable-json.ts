/** What a JSON document may hold before it goes the slow way round. */
export interface JsonBounds {
  /** levels of nesting */
  depth: number;
  /** values in the whole document */
  nodes: number;
  /** characters in one string, or in one key */
  stringChars: number;
}

/** Told of every value that could not be stored as it was: where it stood, and what was done to it. */
export type OnChange = (path: string, what: string) => void;

const replacement = '\uFFFD';

/**
 * Whether JSON.stringify alone gives a faithful text of `value`: plain objects and arrays, finite numbers, within the
 * bounds. Strings are not searched here: see `hasUnstorableEscapes`, which asks the finished text.
 */
export function isPlainJson(value: unknown, bounds: JsonBounds): boolean {
  return copyPlainJson(value, bounds) !== null;
}

const notPlain = Symbol('not plain');

/** What a copy may still take, and about how many characters of JSON it takes so far. */
interface CopyBudget {
  nodes: number;
  stringChars: number;
  chars: number;
}

/**
 * A copy of plain JSON, to be written later, and about how many characters it will take; null when the value is not plain,
 * by the rule of `isPlainJson`. A third of the price of writing it at once.
 */
export function copyPlainJson(value: unknown, bounds: JsonBounds): { copy: unknown; chars: number } | null {
  const budget: CopyBudget = { nodes: bounds.nodes, stringChars: bounds.stringChars, chars: 0 };
  const copy = copyPlain(value, bounds.depth, budget);
  return copy === notPlain ? null : { copy, chars: budget.chars };
}

const scalarChars = 6;

function copyPlain(item: unknown, depthLeft: number, budget: CopyBudget): unknown {
  budget.nodes -= 1;
  if (budget.nodes < 0) return notPlain;
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

function copyPlainObject(object: object, depthLeft: number, budget: CopyBudget): unknown {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return notPlain;
  let nested: [key: string, copy: unknown][] | null = null;
  for (const key in object) {
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
  // Copied only now that it is known not to be too wide: the copy of an object with 200,000 keys takes half a second.
  const copy: Record<string, unknown> = { ...object };
  if (nested !== null) for (const [key, item] of nested) copy[key] = item;
  return copy;
}

/**
 * Whether a text made by JSON.stringify may hold what PostgreSQL refuses in text and jsonb: NUL and lone surrogates,
 * which it writes as `\u0000` and `\udxxx`. May be wrong in the safe direction, for a backslash before those letters.
 */
export function hasUnstorableEscapes(json: string): boolean {
  return json.includes('\\u0000') || json.includes('\\ud');
}

/** Text without NUL and lone surrogates: each becomes U+FFFD. */
export function toStorableText(text: string): string {
  return text.replaceAll('\0', replacement).toWellFormed();
}

/**
 * A copy of anything as JSON that PostgreSQL accepts. Nothing is left out silently: numbers that JSON lacks, BigInt,
 * functions and the like become text, cycles and what lies beyond the bounds become a mark, and `onChange` hears of each.
 * Never throws, whatever getters, proxies or toJSON methods do.
 */
export function toStorableJson(value: unknown, bounds: JsonBounds, onChange: OnChange, rootPath: string): unknown {
  const ancestors = new Set<object>();
  let nodesLeft = bounds.nodes;

  const changed = (path: string, what: string, substitute: unknown): unknown => {
    onChange(path, what);
    return substitute;
  };

  const convert = (item: unknown, path: string): unknown => {
    nodesLeft -= 1;
    if (nodesLeft < 0) return changed(path, 'cut, too many values', '[cut]');
    switch (typeof item) {
      case 'boolean':
      case 'undefined':
        return item;
      case 'string':
        return convertString(item, path);
      case 'number':
        return Number.isFinite(item) ? item : changed(path, `${item} stored as text`, String(item));
      case 'bigint':
        return changed(path, 'BigInt stored as text', convertString(item.toString(), path));
      case 'symbol':
      case 'function':
        return changed(path, `${typeof item} stored as its name`, `[${typeof item}]`);
      case 'object':
        return item === null ? null : convertObject(item, path);
    }
  };

  const convertString = (text: string, path: string): string => {
    const cut = text.length > bounds.stringChars;
    const kept = cut ? text.slice(0, bounds.stringChars) : text;
    const clean = toStorableText(kept);
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
    if (item instanceof Error)
      return changed(path, 'Error stored as its message', convertString(`${item.name}: ${item.message}`, path));
    if (item instanceof Map) return changed(path, 'Map stored as a list of entries', convertList(firstOf(item), path));
    if (item instanceof Set) return changed(path, 'Set stored as a list', convertList(firstOf(item), path));
    if (ArrayBuffer.isView(item)) return changed(path, 'bytes left out', `[${item.byteLength} bytes]`);
    if ('toJSON' in item && typeof item.toJSON === 'function') return convert(item.toJSON(), path);
    if (Array.isArray(item)) return convertList(item, path);
    if (isOpaque(item))
      return changed(path, 'an object without properties stored as text', convertString(String(item), path));
    return convertRecord(item as Record<string, unknown>, path);
  };

  /** No more of a collection than there is room for: copying a million entries would hold up the caller. */
  const firstOf = (items: Iterable<unknown> & { size: number }): unknown[] => {
    const first: unknown[] = [];
    for (const item of items) {
      if (first.length >= nodesLeft) break;
      first.push(item);
    }
    if (first.length < items.size) onChange('a collection', `cut from ${items.size} to ${first.length} entries`);
    return first;
  };

  const convertList = (list: unknown[], path: string): unknown[] => {
    const copy: unknown[] = [];
    for (let index = 0; index < list.length; index += 1) {
      if (nodesLeft <= 0) {
        onChange(path, `cut from ${list.length} to ${index} items`);
        break;
      }
      copy.push(convert(list[index], `${path}[${index}]`));
    }
    return copy;
  };

  const convertRecord = (record: Record<string, unknown>, path: string): Record<string, unknown> => {
    // Without a prototype, so that a key named __proto__ is a key like any other.
    const copy: Record<string, unknown> = Object.create(null);
    const keys = Object.keys(record);
    for (const [index, key] of keys.entries()) {
      if (nodesLeft <= 0) {
        onChange(path, `cut from ${keys.length} to ${index} keys`);
        break;
      }
      const name = convertString(key, `${path} key`);
      if (name in copy) onChange(`${path}.${name}`, 'replaces another of the same name');
      copy[name] = readProperty(record, key, `${path}.${name}`);
    }
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

  return convert(value, rootPath);
}

/** Whether an object keeps what it is elsewhere than in properties: a boxed number, a regular expression, a promise. */
function isOpaque(item: object): boolean {
  const prototype = Object.getPrototypeOf(item);
  return prototype !== Object.prototype && prototype !== null && Object.keys(item).length === 0;
}

/** What was thrown may itself be of the kind that cannot be read. */
function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? toStorableText(error.message.slice(0, 200)) : 'not an Error';
  } catch {
    return 'not an Error';
  }
}
