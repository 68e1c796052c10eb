import { executionLimits } from '../../shared/contracts/execution.ts';
import { createKeyLists } from './key-lists.ts';
import type { Action, Finder, State } from './redact-machine.ts';
import { searchedChars } from './redact-text.ts';
import { convertToStorableJson, hugeChars, isPlainObject, writeBigInt } from './storable-json.ts';

/** HMAC-SHA-256 of a text. */
export type HashText = (text: string) => string;

/** What a walk may take. */
export interface WalkBounds {
  /** values */
  nodes: number;
  /** of texts */
  chars: number;
}

/** What a value is that a rule drops. */
export const dropped = Symbol('dropped');

/** Stands for what cannot be hashed or searched. */
export const masked = '[redacted]';

const maskAction: Action = { do: 'mask', with: masked };

/** A text that was hashed already, by a sender with the same rules, stays as it is. */
const hashPattern = /^hmac-sha256:[0-9a-f]{64}$/;

/** A smaller number is no number of a card, and neither is a larger one. */
const searchedNumbers = { least: 1e11, most: 1e19 };

/**
 * Applies rules to the values of one record. What rules may concern is copied, and the caller's objects are never changed. What
 * no rule concerns stays the caller's.
 */
export class ValueRedactor {
  /** values that were redacted */
  count = 0;
  /** values that could not be looked through, or not whole; what was not is left out */
  unread = 0;
  /** more than the bounds allow: what was beyond is left out */
  isOver = false;
  readonly #hash: HashText;
  readonly #listKeys = createKeyLists();
  readonly #ancestors: object[] = [];
  #left: WalkBounds = { nodes: 0, chars: 0 };

  constructor(hash: HashText) {
    this.#hash = hash;
  }

  /**
   * Never throws.
   *
   * @returns undefined where it is dropped
   */
  value(value: unknown, state: State, bounds: WalkBounds): unknown {
    this.#begin(bounds);
    const result = this.#walk(value, state);
    return result === dropped ? undefined : result;
  }

  /** As `value`, for the entries of a list, each with a state of its own. */
  list(list: readonly unknown[], stateOf: (item: unknown) => EntryStates, bounds: WalkBounds): unknown[] {
    this.#begin(bounds);
    const copy: unknown[] = [];
    for (let at = 0; at < list.length && !this.isOver; at += 1) copy.push(this.#entry(list[at], stateOf));
    return copy;
  }

  #begin(bounds: WalkBounds): void {
    this.#left = { ...bounds };
    this.isOver = false;
  }

  #entry(item: unknown, stateOf: (item: unknown) => EntryStates): unknown {
    try {
      const entry = hasToJson(item) ? item.toJSON() : item;
      const { entry: state, value } = stateOf(entry);
      const result = this.#walk(entry, state, value);
      return result === dropped ? null : result;
    } catch {
      return this.#leftOut(unreadable);
    }
  }

  #walk(item: unknown, state: State, ofValue: State | null = null): unknown {
    if (state.action !== null) return this.#apply(item, state.action);
    if (!state.isLive && ofValue === null) return item;
    this.#left.nodes -= 1;
    if (this.#left.nodes < 0 || this.#left.chars < 0) {
      this.isOver = true;
      return this.#leftOut('[cut]');
    }
    switch (typeof item) {
      case 'string':
        return this.text(item, state.finders);
      case 'number':
        return Math.abs(item) >= searchedNumbers.least ? this.#scalar(item, state) : item;
      case 'bigint':
        return this.#scalar(item, state);
      case 'object':
        return item === null ? null : this.#container(item, state, ofValue);
      default:
        return item;
    }
  }

  #scalar(item: number | bigint, { finders }: State): unknown {
    if (finders.length === 0) return item;
    const text = typeof item === 'bigint' ? writeBigInt(item) : String(item);
    const result = this.text(text, finders);
    if (result !== text) return result;
    const isRounded = typeof item === 'number' && !Number.isSafeInteger(item) && Number.isInteger(item);
    return isRounded && Math.abs(item) < searchedNumbers.most ? this.#rounded(item, text, finders) : item;
  }

  /** Of a number that lost its last digits, the check digit may have been any. What it was cannot be hashed. */
  #rounded(item: number, text: string, finders: readonly Finder[]): unknown {
    const start = text.slice(0, -1);
    const found = finders.find(({ find }) => [...'0123456789'].some((digit) => find(start + digit).length > 0));
    return found === undefined ? item : this.#apply(item, found.action.do === 'hash' ? maskAction : found.action);
  }

  #container(item: object, state: State, ofValue: State | null): unknown {
    if (this.#ancestors.includes(item)) return this.#leftOut('[circular]');
    if (this.#ancestors.length >= executionLimits.depth) return this.#leftOut('[too deep]');
    this.#ancestors.push(item);
    try {
      return this.#copy(item, state, ofValue);
    } catch {
      // Not what was thrown: it may say what the rules hide.
      return this.#leftOut(unreadable);
    } finally {
      this.#ancestors.pop();
    }
  }

  #leftOut(marker: string): string {
    this.unread += 1;
    return marker;
  }

  #copy(item: object, state: State, ofValue: State | null): unknown {
    if (hasToJson(item)) return this.#walk(item.toJSON(), state);
    if (Array.isArray(item)) return this.#copyList(item, state);
    const isPlain: boolean = isPlainObject(item);
    if (isPlain) return this.#copyRecord(item, state, ofValue);
    if (item instanceof Date || ArrayBuffer.isView(item)) return item;
    if (item instanceof Error) return this.#walk(`${item.name}: ${item.message}`, state);
    if (item instanceof Map) return this.#copyMap(item, state, ofValue);
    if (item instanceof Set) return this.#copyList([...take(item, this.#left.nodes)], state);
    if (item instanceof String) return this.#walk(item.valueOf(), state);
    if (this.#listKeys(item).total === 0) return this.#walk(String(item), state);
    return this.#copyRecord(item, state, ofValue);
  }

  #copyList(list: readonly unknown[], state: State): unknown[] {
    const copy: unknown[] = [];
    for (let at = 0; at < list.length && !this.isOver; at += 1) {
      const result = this.#walk(list[at], state.step(String(at)));
      // The others keep their places.
      copy.push(result === dropped ? null : result);
    }
    return copy;
  }

  /** Is stored as a list of entries. */
  #copyMap(map: Map<unknown, unknown>, state: State, ofValue: State | null): unknown[] {
    const copy: unknown[] = [];
    for (const [key, value] of take(map, this.#left.nodes)) {
      const isName = typeof key === 'string' || typeof key === 'number';
      const next = ofValue !== null && key === 'value' ? ofValue : state.step(isName ? String(key) : '');
      const result = this.#walk(value, next);
      if (result !== dropped)
        copy.push([isName ? this.text(String(key), next.finders) : this.#walk(key, next), result]);
    }
    return copy;
  }

  #copyRecord(record: object, state: State, ofValue: State | null): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    let hasNewNames = false;
    let alike = 0;
    for (const key of this.#keysOf(record)) {
      if (this.isOver) break;
      const next = ofValue !== null && key === 'value' ? ofValue : state.step(key);
      let item: unknown;
      try {
        item = (record as Record<string, unknown>)[key];
      } catch {
        item = this.#leftOut(unreadable);
      }
      const result = this.#walk(item, next);
      this.#left.chars -= key.length;
      if (result === dropped) continue;
      // Names are texts, too: people are keys of objects.
      let name = next.finders.length === 0 ? key : this.text(key, next.finders);
      hasNewNames ||= name !== key;
      // Two different names may have become one.
      while (hasNewNames && Object.hasOwn(copy, name)) {
        alike += 1;
        name = `${name}~${alike}`;
      }
      put(copy, name, result);
    }
    return copy;
  }

  #keysOf(record: object): readonly string[] {
    const { keys, total } = this.#listKeys(record);
    if (keys.length === total) return keys;
    if (this.#left.nodes === Number.POSITIVE_INFINITY) return Object.keys(record);
    this.unread += 1;
    return keys;
  }

  /** Replaces what the finders find. */
  text(text: string, finders: readonly Finder[]): string {
    this.#left.chars -= Math.min(text.length, hugeChars);
    if (finders.length === 0) return text;
    if (text.length > searchedChars) {
      this.count += 1;
      return masked;
    }
    let result = text;
    for (const { find, action } of finders) {
      const found = find(result);
      if (found.length === 0) continue;
      let copy = '';
      let from = 0;
      for (const { start, end } of found) {
        const part = this.#apply(result.slice(start, end), action);
        copy += result.slice(from, start) + (part === dropped ? '' : part);
        from = end;
      }
      result = copy + result.slice(from);
    }
    return result;
  }

  /** What takes the place of a value as a whole. */
  #apply(item: unknown, action: Action): unknown {
    if (item === undefined || item === null) return item;
    const result = action.do === 'drop' ? dropped : action.do === 'mask' ? action.with : this.#hashOf(item);
    if (result !== item) this.count += 1;
    return result;
  }

  #hashOf(item: unknown): string {
    if (typeof item === 'string' && item.length <= searchedChars)
      return hashPattern.test(item) ? item : `hmac-sha256:${this.#hash(item)}`;
    if (typeof item === 'number' || typeof item === 'boolean') return `hmac-sha256:${this.#hash(String(item))}`;
    if (typeof item === 'string') return masked;
    const bounds = {
      depth: executionLimits.depth,
      nodes: hashedNodes,
      stringChars: searchedChars,
      chars: searchedChars,
    };
    let isWhole = true;
    const changed = (_path: string, what: string): void => {
      isWhole &&= what.endsWith('stored as text');
    };
    const { value, isOver } = convertToStorableJson(item, bounds, changed, '');
    // Of what is not whole, different values might have one hash.
    if (isOver || !isWhole) return masked;
    return `hmac-sha256:${this.#hash(typeof value === 'string' ? value : JSON.stringify(value))}`;
  }
}

/** Where an entry of a trace is, and what it holds as its value. */
export interface EntryStates {
  entry: State;
  value: State | null;
}

const unreadable = '[unreadable]';
const hashedNodes = 50_000;

/** Whether what is stored of an object is what its `toJSON` gives, as `convertToStorableJson` has it: that of a Buffer gives all its bytes. */
function hasToJson(item: unknown): item is { toJSON(): unknown } {
  if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) return false;
  if (item instanceof Date || item instanceof Error || item instanceof Map || item instanceof Set) return false;
  return 'toJSON' in item && typeof item.toJSON === 'function';
}

function* take<T>(items: Iterable<T>, most: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken > most) return;
    taken += 1;
    yield item;
  }
}

/** Also where the name is `__proto__`. */
function put(record: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') record[name] = value;
  else Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}
