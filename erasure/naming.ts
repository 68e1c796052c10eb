/** How it is found out whether a text names somebody. */
export interface Naming {
  /** whatever names the id has one of these in it, which is cheap to look for */
  needles: readonly string[];
  /** what matches where the id is named, as a regular expression of PostgreSQL */
  pattern: string;
  /** Whether a text names the id, JSON that PostgreSQL has written included. */
  isIn(text: string): boolean;
  /** Whether any key, text or number in a JSON text does, however it is escaped. What is no JSON is looked at as a text. */
  isInJson(json: string): boolean;
}

/** An id of a few digits is a number like any other: it counts only where it stands in quotes, alone. */
const fewDigits = /^\d{1,5}$/;

/** Behind an escape of JSON a word may begin, although the last character of the escape is a letter. */
const behindEscape = String.raw`(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4})`;

/**
 * An id is named where it stands as a word: no letter, digit, `_` or `-` is next to it. So `user-1` is not named by `user-12`,
 * and is named by `wallet:user-1`.
 *
 * @param id not empty
 */
export function createNaming(id: string): Naming {
  const inJson = JSON.stringify(id).slice(1, -1);
  const spellings = [...new Set([id, inJson, toAscii(inJson)])];
  const isFewDigits = fewDigits.test(id);
  const needles = isFewDigits ? [`"${id}"`] : spellings;
  const word = (character: string, spell: (text: string) => string): string =>
    isFewDigits
      ? `"${id}"`
      : `(?:(?<!${character})|${behindEscape})(?:${spellings.map(spell).join('|')})(?!${character})`;
  const expression = new RegExp(word(String.raw`[\p{L}\p{N}_-]`, escapeForJs), 'u');
  const plain = new RegExp(isFewDigits ? `^${id}$` : expression.source, 'u');
  const isIn = (text: string): boolean => needles.some((needle) => text.includes(needle)) && expression.test(text);
  return {
    needles,
    pattern: word('[[:alnum:]_-]', escapeForPostgres),
    isIn,
    isInJson(json) {
      if (isIn(json)) return true;
      // Without an escape, what the parser makes of it says no more than the text.
      if (!json.includes('\\')) return false;
      try {
        return textsOf(JSON.parse(json)).some((text) => plain.test(text));
      } catch {
        return false;
      }
    },
  };
}

/** All keys and texts in a value, without recursion: a dead letter may hold anything. */
function textsOf(value: unknown): string[] {
  const texts: string[] = [];
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'string') texts.push(next);
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) texts.push(...Object.keys(next));
    for (const inner of Object.values(next)) open.push(inner);
  }
  return texts;
}

function toAscii(text: string): string {
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function escapeForJs(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function escapeForPostgres(text: string): string {
  return text.replace(/[^\w\u0080-\uffff]/g, String.raw`\$&`);
}
