import { isObject } from './fields.js';

/** Deeper objects of figures are not compared. */
const maxDepth = 5;

/**
 * Whether a later value says all that an earlier one said: figures may have grown, but no text is gone.
 *
 * @param {unknown} before
 * @param {unknown} after
 * @param {number} [depth]
 * @returns {boolean}
 */
export function isSuperseded(before, after, depth = 0) {
  if (before === null || before === undefined || before === '' || before === after) return true;
  if (typeof before === 'number' || typeof before === 'boolean') return typeof after === typeof before;
  if (depth >= maxDepth) return false;
  if (Array.isArray(before)) {
    return Array.isArray(after) && before.every((one, index) => isSuperseded(one, after[index], depth + 1));
  }
  if (!isObject(before) || !isObject(after)) return false;
  return Object.keys(before).every(
    (name) => Object.hasOwn(after, name) && isSuperseded(before[name], after[name], depth + 1),
  );
}
