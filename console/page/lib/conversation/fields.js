import { toJsonText } from './json-text.js';

/** @typedef {import('./conversation.d.ts').Field} Field */
/** @typedef {Record<string, unknown>} JsonObject */

/** @param {unknown} value @returns {value is JsonObject} */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The fields of an object. Each is taken by whoever understands it; what nobody takes is in `rest()`, so that nothing that a body says
 * is left out.
 */
export class Fields {
  /** @type {Map<string, unknown>} */
  #left;

  /** @param {JsonObject} object */
  constructor(object) {
    this.#left = new Map(Object.entries(object));
  }

  /** Whether it has a field that is not null. @param {string} name */
  has(name) {
    return this.#left.get(name) != null;
  }

  /** Looks at a field without taking it. @param {string} name */
  peek(name) {
    return this.#left.get(name);
  }

  /** @param {string} name */
  take(name) {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  /** The first of these fields that is a text. @param {...string} names @returns {string | null} */
  text(...names) {
    return this.#first(names, (value) => typeof value === 'string');
  }

  /** @param {...string} names @returns {unknown[] | null} */
  list(...names) {
    return this.#first(names, Array.isArray);
  }

  /** @param {...string} names @returns {JsonObject | null} */
  object(...names) {
    return this.#first(names, isObject);
  }

  /** Takes a field only if it has this value. @param {string} name @param {unknown} value */
  is(name, value) {
    const is = this.#left.get(name) === value;
    if (is) this.#left.delete(name);
    return is;
  }

  /** What nobody has taken, except null. @returns {Field[]} */
  rest() {
    return [...this.#left].flatMap(([name, value]) => (value === null ? [] : [toField(name, value)]));
  }

  /** @param {string[]} names @param {(value: unknown) => boolean} fits @returns {any} */
  #first(names, fits) {
    const name = names.find((one) => fits(this.#left.get(one)));
    return name === undefined ? null : this.take(name);
  }
}

/** @param {string} name @param {unknown} value @returns {Field} */
export function toField(name, value) {
  return { name, text: typeof value === 'string' ? value : toJsonText(value) };
}

/** @param {Field[]} fields @returns {import('./conversation.d.ts').Part[]} */
export function otherPart(fields) {
  return fields.length === 0 ? [] : [{ kind: 'other', fields }];
}

/** A value that is not what its place asks for. @param {unknown} value @returns {import('./conversation.d.ts').Part[]} */
export function rawPart(value) {
  if (value === null || value === undefined) return [];
  return [{ kind: 'raw', text: typeof value === 'string' ? value : toJsonText(value) }];
}
