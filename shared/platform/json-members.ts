/** A member of a JSON object, and where it stands in the text. */
export interface JsonMember {
  key: string;
  /** of the key's opening quote */
  start: number;
  /** where its value begins */
  value: number;
  /** behind the value */
  end: number;
}

/** Deeper nesting is taken for no JSON: nobody means it, and following it takes memory. */
const maxDepth = 10_000;

const noJson = -1;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openObject = 0x7b;
const closeObject = 0x7d;
const openList = 0x5b;
const closeList = 0x5d;

/**
 * The members of a JSON object, in order, found without reading any value: numbers beyond 2^53, spaces and escapes stay as
 * they are in the text. Null when the text is no JSON, by the rules of JSON.parse, or no object. A pass over 1 MiB takes
 * a few ms.
 */
export function findJsonMembers(text: string): JsonMember[] | null {
  const members: JsonMember[] = [];
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== openObject) return null;
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) !== closeObject) {
    for (;;) {
      const start = at;
      const endOfKey = skipString(text, start);
      const value = endOfKey === noJson ? noJson : skipColon(text, endOfKey);
      const end = value === noJson ? noJson : skipValue(text, value);
      if (end === noJson) return null;
      members.push({ key: JSON.parse(text.slice(start, endOfKey)) as string, start, value, end });
      at = skipSpace(text, end);
      if (text.charCodeAt(at) !== comma) break;
      at = skipSpace(text, at + 1);
    }
  }
  const isWhole = text.charCodeAt(at) === closeObject && skipSpace(text, at + 1) === text.length;
  return isWhole ? members : null;
}

/**
 * Where each element of a JSON list stands in the text, in order, found without reading any value. Null when the text is no
 * JSON, by the rules of JSON.parse, or no list.
 */
export function findJsonElements(text: string): { start: number; end: number }[] | null {
  const elements: { start: number; end: number }[] = [];
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== openList) return null;
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) !== closeList) {
    for (;;) {
      const end = skipValue(text, at);
      if (end === noJson) return null;
      elements.push({ start: at, end });
      at = skipSpace(text, end);
      if (text.charCodeAt(at) !== comma) break;
      at = skipSpace(text, at + 1);
    }
  }
  const isWhole = text.charCodeAt(at) === closeList && skipSpace(text, at + 1) === text.length;
  return isWhole ? elements : null;
}

/** Where the value that begins at `at` ends. */
function skipValue(text: string, from: number): number {
  /** what closes the lists and objects that are open, the innermost last; no recursion, so no depth is too deep for it */
  const closers: number[] = [];
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === openObject || code === openList) {
      const closer = code === openObject ? closeObject : closeList;
      at = skipSpace(text, at + 1);
      if (text.charCodeAt(at) !== closer) {
        closers.push(closer);
        if (closers.length > maxDepth) return noJson;
        at = closer === closeObject ? skipKey(text, at) : at;
        if (at === noJson) return noJson;
        continue;
      }
      at += 1;
    } else {
      at = skipScalar(text, at);
      if (at === noJson) return noJson;
    }
    for (;;) {
      const closer = closers.at(-1);
      if (closer === undefined) return at;
      at = skipSpace(text, at);
      if (text.charCodeAt(at) !== closer) break;
      closers.pop();
      at += 1;
    }
    if (text.charCodeAt(at) !== comma) return noJson;
    at = skipSpace(text, at + 1);
    if (closers.at(-1) === closeObject) at = skipKey(text, at);
    if (at === noJson) return noJson;
  }
}

/** Where the value behind the key at `at` begins. */
function skipKey(text: string, at: number): number {
  const end = skipString(text, at);
  return end === noJson ? noJson : skipColon(text, end);
}

function skipColon(text: string, from: number): number {
  const at = skipSpace(text, from);
  return text.charCodeAt(at) === colon ? skipSpace(text, at + 1) : noJson;
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function skipScalar(text: string, at: number): number {
  if (text.charCodeAt(at) === quote) return skipString(text, at);
  for (const word of ['true', 'false', 'null']) if (text.startsWith(word, at)) return at + word.length;
  number.lastIndex = at;
  return number.test(text) ? number.lastIndex : noJson;
}

/** A plain loop: searching by a regular expression is several times slower where escapes are frequent, as in quoted code. */
function skipString(text: string, from: number): number {
  if (text.charCodeAt(from) !== quote) return noJson;
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code < 0x20) return noJson;
    if (code === backslash) {
      at = skipEscape(text, at + 1);
      if (at === noJson) return noJson;
    }
  }
  return noJson;
}

const escapes = new Set([...'"\\/bfnrt'].map((character) => character.charCodeAt(0)));
const unicode = 0x75;
const fourDigits = /[0-9a-fA-F]{4}/y;

/** The last character of the escape whose first one, behind the backslash, is at `at`. */
function skipEscape(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (escapes.has(code)) return at;
  fourDigits.lastIndex = at + 1;
  return code === unicode && fourDigits.test(text) ? at + 4 : noJson;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}
