/** Of a longer message the rest is not looked at. */
const maxReadChars = 4_000;
const maxChars = 500;

/** A number, a date, a range: digits and no letters. */
const isNumber = /^[^\p{L}]*\d[^\p{L}]*$/u;

/** What PostgreSQL puts before the name of something in quotes; whatever else it quotes is a value. */
const beforeNames =
  /(?:aggregate|collation|column|constraint|database|domain|encoding|extension|function|index|language|operator|parameter|partition|policy|procedure|publication|relation|role|rule|schema|sequence|server|table|tablespace|trigger|type|user|view) $/;

/** What opens a quote in the languages of PostgreSQL's messages, and what may close it. */
const quotes: [opening: string, closing: string][] = [
  ['"', '"'],
  ['„', '“”"'],
  ['“', '”"'],
  ['”', '”'],
  ['«', '»'],
  ['»', '«'],
  ['‹', '›'],
  ['›', '‹'],
  ['‚', '‘’'],
  ['「', '」'],
  ['『', '』'],
];

/** Within a word it is an apostrophe: `l'objet`, `can’t`. */
const singleQuoted = String.raw`(?<![\p{L}\p{N}])['‘].*?(?:['’](?![\p{L}\p{N}])|$)`;

/** A text in quotes; where nothing closes them, all up to the end. */
const quoted = new RegExp(
  [...quotes.map(([opening, closing]) => `${opening}[^${closing}]*(?:[${closing}]|$)`), singleQuoted].join('|'),
  'gu',
);

/** A colon with something in quotes behind it. */
const lastValue = new RegExp(`(\\s?[:：]\\s?)[${quotes.map(([opening]) => opening).join('')}'‘].*$`, 'u');

/** More characters than the longest word in `beforeNames`. */
const nameWordChars = 16;

/** Texts and numbers of a record, as they might be quoted. */
interface Values {
  has(word: string): boolean;
}

/**
 * What a server says, as one line without the values that it quotes, in whatever language: names of tables, columns and the like
 * stay where the words before them, in English, or `names` tell that they are names.
 *
 * @param options.names that the server gave beside the message
 * @param options.values of the rows that it may speak of, for a text that is not PostgreSQL's own and quotes in any way: words
 *   that occur among them, and all numbers, are left out, too
 */
export function redactMessage(
  message: string,
  { names = [], values = null }: { names?: readonly string[]; values?: Values | null } = {},
): string {
  const line = message.slice(0, maxReadChars).replaceAll(/\s+/g, ' ').trim();
  // PostgreSQL gives the value at fault last, after a colon: it may hold quotes itself.
  const withoutValue = line.replace(lastValue, '$1"…"');
  const isName = (text: string, at: number): boolean =>
    (isClosed(text) && beforeNames.test(withoutValue.slice(Math.max(0, at - nameWordChars), at))) ||
    names.includes(text.slice(1, -1).trim());
  const withoutQuotes = withoutValue.replaceAll(quoted, (text, at: number) => (isName(text, at) ? text : '"…"'));
  // Only now: a cut within a value would leave its beginning without a quote that closes it.
  const told =
    values === null
      ? withoutQuotes
      : withoutQuotes.replaceAll(/[^\s"…]+/g, (word) => (isNumber.test(word) || values.has(word) ? '…' : word));
  return told.slice(0, maxChars);
}

/** Names that PostgreSQL quotes in English, which it always closes. */
function isClosed(text: string): boolean {
  return text.length > 1 && /^(?:".*"|'.*')$/.test(text);
}

/** Characters of JSON beyond which its values are not gone through. */
const maxJsonChars = 262_144;

/** The words of all values in a JSON text of records; null when it is too long or cannot be read. */
export function wordsOf(json: string): Values | null {
  if (json.length > maxJsonChars) return null;
  try {
    const words = new Set<string>();
    const open: unknown[] = [JSON.parse(json)];
    const note = (text: string): void => {
      for (const [word] of text.matchAll(wholeWords)) words.add(word);
    };
    while (open.length > 0) {
      const value = open.pop();
      if (typeof value === 'string') note(value);
      else if (Array.isArray(value)) for (const one of value) open.push(one);
      else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) open.push(one);
    }
    const partsOf = (word: string): string[] =>
      [wholeWords, bareWords].flatMap((pattern) => [...word.matchAll(pattern)].map(([part]) => part));
    return { has: (word) => partsOf(word).some((part) => words.has(part)) };
  } catch {
    return null;
  }
}

/** Words with what may hold one together, such as `user-1` or `a@b.example`, which is then told from the word `user`. */
const wholeWords = /[\p{L}\p{N}](?:[\p{L}\p{N}._@:/-]*[\p{L}\p{N}])?/gu;
const bareWords = /[\p{L}\p{N}]+/gu;
