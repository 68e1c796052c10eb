import type { Selected } from './select-json.ts';

/** A member of an object; undefined where there is none, or the value is no object. */
export function memberOf(value: Selected | undefined, name: string): Selected | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Selected })[name]
    : undefined;
}

export function isObject(value: Selected | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The elements of a list; none where the value is no list. */
export function elementsOf(value: Selected | undefined): readonly Selected[] {
  return Array.isArray(value) ? (value as readonly Selected[]) : [];
}

export function textOf(value: Selected | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** No model reads or writes as many tokens for one request. */
const mostTokens = 1_000_000_000;

/** A number of things. Null is what is none: a text, a fraction, a negative number, or one that cannot be. */
export function countOf(value: Selected | undefined): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= mostTokens ? value + 0 : null;
}

/** The sum of counts of which those that are not told are none. Null when the first is not told, or one is told and is no count. */
export function sumOf(first: Selected | undefined, ...others: readonly (Selected | undefined)[]): number | null {
  let sum = countOf(first);
  for (const other of others) {
    if (other === undefined || other === null) continue;
    const count = countOf(other);
    sum = sum === null || count === null ? null : sum + count;
  }
  return sum === null ? null : countOf(sum);
}

/** In the words of providers there is nothing that any format would escape. */
const word = /^[\w.:/-]{1,64}$/;

export function wordOf(value: Selected | undefined): string | null {
  return typeof value === 'string' && word.test(value) ? value : null;
}
