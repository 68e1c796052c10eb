import { jsonOrNull } from '../../shared/platform/json-or-null.ts';

const backslash = 0x5c;
const [tab, newline, quote] = [0x09, 0x0a, 0x22];
/** Of UTF-8, for each unit of UTF-16. */
const mostBytesPerUnit = 3;

/** A pattern of what stands between the quotes of a JSON string. @param letters that may follow a backslash */
export const jsonText = (letters: string): string => {
  const plain = String.raw`[^"\\\x00-\x1f]*`;
  return String.raw`${plain}(?:\\["\\/${letters}]${plain})*`;
};

/** The inside of a JSON string whose escapes COPY reads alike. */
const sameToCopy = new RegExp(`^${jsonText('bfnrt')}$`);

/** A JSON string of a chunk. */
export interface ChunkText {
  /** what it says; or, where it is escaped, what stands between its quotes, of which each character is a byte */
  text: string;
  isEscaped: boolean;
  /** where that stands in the chunk */
  from: number;
  until: number;
}

const special = /[\\\n\r\t]/g;
const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** What stands for a column without a value. */
export const copyNull = '\\N';

/**
 * Rows in the text format of COPY, made of a chunk's text and written into one buffer that grows.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
 */
export class CopyText {
  readonly #chunk: Buffer;
  /** the first one behind what was copied of the chunk */
  #nextBackslash = -1;
  #buffer: Buffer;
  #length = 0;

  /** @param share of the chunk that the rows will have, about */
  constructor(chunk: Buffer, share: number) {
    this.#chunk = chunk;
    this.#buffer = Buffer.allocUnsafe(Math.ceil(share * chunk.length));
  }

  /** Adds what is escaped already: columns, and the tabs between them. */
  add(columns: string): void {
    this.#reserve(columns.length * mostBytesPerUnit);
    this.#length += this.#buffer.write(columns, this.#length);
  }

  /** Adds a column: JSON, by its place in the chunk. Its places ascend. */
  addJson(from: number, until: number): void {
    // A tab, and a second backslash for each.
    this.#reserve(1 + 2 * (until - from));
    this.#addByte(tab);
    let start = from;
    if (this.#nextBackslash < start) this.#findBackslash(start);
    while (this.#nextBackslash < until) {
      this.#copy(start, this.#nextBackslash + 1);
      this.#addByte(backslash);
      start = this.#nextBackslash + 1;
      this.#findBackslash(start);
    }
    this.#copy(start, until);
  }

  /**
   * Reads a JSON string, by its place in the chunk, quotes included.
   *
   * @returns null when it is none, or cannot be written
   */
  readText(from: number, until: number): ChunkText | null {
    const isQuoted = until - from > 1 && this.#chunk[from] === quote && this.#chunk[until - 1] === quote;
    if (!isQuoted) return null;
    const place = { from: from + 1, until: until - 1 };
    // Whether it is such a string does not depend on what is beyond ASCII.
    const inside = this.#chunk.toString('latin1', place.from, place.until);
    if (sameToCopy.test(inside)) return { text: inside, isEscaped: true, ...place };
    const text = jsonOrNull(this.#chunk.toString('utf8', from, until));
    return typeof text === 'string' && text.isWellFormed() ? { text, isEscaped: false, ...place } : null;
  }

  /** Adds a column. */
  addText({ text, isEscaped, from, until }: ChunkText): void {
    if (!isEscaped) {
      this.add(`\t${escapeForCopy(text)}`);
      return;
    }
    this.#reserve(1 + until - from);
    this.#addByte(tab);
    this.#copy(from, until);
  }

  /** Adds a column without a value. */
  addNull(): void {
    this.add(`\t${copyNull}`);
  }

  end(): void {
    this.#reserve(1);
    this.#addByte(newline);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written. */
  toBuffer(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #addByte(byte: number): void {
    this.#buffer[this.#length] = byte;
    this.#length += 1;
  }

  #findBackslash(from: number): void {
    const at = this.#chunk.indexOf(backslash, from);
    this.#nextBackslash = at === -1 ? Number.POSITIVE_INFINITY : at;
  }

  #copy(from: number, until: number): void {
    this.#length += this.#chunk.copy(this.#buffer, this.#length, from, until);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.ceil(this.#buffer.length * 1.5)));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** What begins an escape of JSON that COPY reads differently. */
export const unicodeEscape = String.raw`\u`;

/**
 * The text of a column, from what stands between the quotes of a JSON string. COPY reads all escapes of JSON alike, but for those
 * with a `u`: for it, a backslash before any other character means just that character.
 *
 * @returns null when it is no JSON, or half of a pair of surrogates, which UTF-8 cannot hold
 */
export function copyTextOfJson(inside: string): string | null {
  if (!inside.includes(unicodeEscape)) return inside;
  const text = jsonOrNull(`"${inside}"`);
  return typeof text === 'string' && text.isWellFormed() ? escapeForCopy(text) : null;
}

function escapeForCopy(text: string): string {
  return text.replace(special, (character) => escapes[character] as string);
}

const letters: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** What the text of a column says. */
export function textOfCopy(column: string): string {
  if (!column.includes('\\')) return column;
  return column.replace(/\\(.)/gs, (_, character: string) => letters[character] ?? character);
}
