/** How to find out whether a text names somebody. */
export interface Naming {
  /** any text that names the id contains one of these, which are cheap to search for */
  needles: readonly string[];
  /** matches where the id is named, as a regular expression of PostgreSQL */
  pattern: string;
  /** Whether a text names the id, including JSON that PostgreSQL has written. */
  isIn(text: string): boolean;
  /** Whether any key, text or number in a JSON text names the id, however it is escaped. Other text is searched as it is. */
  isInJson(json: string): boolean;
}

/** An id of a few digits is a number like any other: it counts only if it stands alone in quotes. */
const fewDigits = /^\d{1,5}$/;

/** A word may begin after a JSON escape, although the last character of the escape is a letter. */
const behindEscape = String.raw`(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4})`;

/**
 * An id is named if it stands as a word: no letter, digit, `_` or `-` is next to it. `user-12` does not name `user-1`, but
 * `wallet:user-1` does.
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
      // Without an escape, the parsed text says no more than the JSON.
      if (!json.includes('\\')) return false;
      try {
        return textsOf(JSON.parse(json)).some((text) => plain.test(text));
      } catch {
        return false;
      }
    },
  };
}

/** All keys and texts in a value, without recursion: a dead letter may contain anything. */
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
