import { parseJson } from './json-text.js';

/**
 * The value of a JSON text whose end is missing: what was open at the cut is closed there. A string keeps what is there of it; a name
 * without its value, and half a number or word, are left out.
 *
 * @param {string} text
 * @returns {{ value: unknown } | null} null: it is not the beginning of JSON
 */
export function parseCutJson(text) {
  const whole = parseJson(text);
  if (whole !== undefined) return { value: whole };
  const { end, closers, isInString, escapeAt } = scan(text);
  if (closers.length === 0) return null;
  const closing = closers.toReversed().join('');
  if (isInString) {
    const asValue = parseJson(`${withoutHalfEscape(text, escapeAt)}"${closing}`);
    if (asValue !== undefined) return { value: asValue };
  }
  const asItIs = isInString ? undefined : parseJson(`${text}${closing}`);
  if (asItIs !== undefined) return { value: asItIs };
  // Back to where a value ended, or where an object or array began.
  const value = parseJson(`${text.slice(0, end)}${closing}`);
  return value === undefined ? null : { value };
}

const quote = 34;
const backslash = 92;
const comma = 44;

/**
 * Where the text may be ended, and what closes it there.
 *
 * @param {string} text
 */
function scan(text) {
  /** @type {string[]} */
  const closers = [];
  let isInString = false;
  let end = 0;
  let escapeAt = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === backslash) {
        escapeAt = at;
        at += 1;
      } else if (code === quote) isInString = false;
      continue;
    }
    if (code === quote) isInString = true;
    else if (code === comma) end = at;
    else if (code === 123 || code === 91) {
      closers.push(code === 123 ? '}' : ']');
      end = at + 1;
    } else if (code === 125 || code === 93) {
      closers.pop();
      end = at + 1;
    }
  }
  return { end, closers, isInString, escapeAt };
}

/** `\` and `\u12` at the end are no characters yet. @param {string} text @param {number} escapeAt where the last escape begins */
function withoutHalfEscape(text, escapeAt) {
  const isHalf = escapeAt >= 0 && text.length - escapeAt < (text[escapeAt + 1] === 'u' ? 6 : 2);
  return isHalf ? text.slice(0, escapeAt) : text;
}
