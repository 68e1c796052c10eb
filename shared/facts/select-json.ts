/** A value of a JSON text, with those of its parts that were wanted. */
export type Selected = null | boolean | number | string | readonly Selected[] | { readonly [key: string]: Selected };

/**
 * The parts of a value that are wanted: of an object some members, of a list its elements. `true`: the value itself, and of an
 * object or a list only that it is one.
 */
export type Wanted = true | readonly [Wanted] | { readonly [key: string]: Wanted };

/** As `Wanted`, for looking up. */
export interface Selection {
  readonly members: ReadonlyMap<string, Member> | null;
  readonly item: Selection | null;
}

/** Its own name makes a member of an object sooner than the same word out of a text. */
interface Member {
  readonly name: string;
  readonly selection: Selection;
}

export function toSelection(wanted: Wanted): Selection {
  if (wanted === true) return { members: null, item: null };
  if (isList(wanted)) return { members: null, item: toSelection(wanted[0]) };
  const members = Object.entries(wanted).map(
    ([name, value]) => [name, { name, selection: toSelection(value) }] as const,
  );
  return { members: new Map(members), item: null };
}

/** Is told of the values of a text that are stepped over or selected, but for those of which parts are. */
export interface Recorder {
  /** @param from where it begins, or spaces before it */
  skipped(from: number, until: number): void;
  /** @returns what is put in the place of the value */
  taken(from: number, until: number, selection: Selection, value: Selected): Selected;
}

/** More elements than any answer has: a list of millions would take a hundred times the memory of its text. */
export const maxElements = 10_000;

/** Stand for an object and a list of which nothing else is wanted, and for a text where parts are wanted. */
export const someObject: Selected = Object.freeze({});
export const someList: Selected = Object.freeze([]);
export const someText: Selected = '';

/** A text that is no JSON, as far as it was looked at, or has a list that is too long. Made once: a stack costs more than a body. */
export const notSelectable = new SyntaxError('is no JSON, or has a list that is too long');

const [tab, newline, carriageReturn, space, quote, comma, colon] = [0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a];
const [openBracket, backslash, closeBracket, openBrace, closeBrace] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d];
const [letterN, letterR, letterT, zero] = [0x6e, 0x72, 0x74, 0x30];

/** From about this length on, a slice costs less than it saves. */
const longPart = 13;

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const aBackslash = /\\/;
const backslashOrByte = /[\\\x80-\xff]/;

/**
 * Takes the wanted parts out of JSON, and steps over all others: strings by a native search for their end, so that its cost is that of
 * the text's structure and not of its length. What a parser accepts is read as a parser reads it; of several members of one name the
 * last one counts. What stands in parts that are not wanted is only known to have its brackets and quotes closed.
 *
 * The text may be JSON that is itself inside a JSON string, as the bodies of a chunk are, with its escapes: then a quote is `\"`,
 * and one within a string `\\\"`. Nothing has to be decoded for what is stepped over.
 */
export class JsonSelector {
  readonly #text: string;
  readonly #end: number;
  readonly #isEscaped: boolean;
  /** of the next character that was not read */
  at: number;
  /** null: nobody asks */
  recorder: Recorder | null = null;

  /**
   * @param options.isEscaped whether it is the inside of a JSON string, which has none of the escapes that begin with `\u`; its
   *   characters are bytes then (latin1)
   */
  constructor(text: string, { isEscaped, start = 0, end = text.length }: TextPlace) {
    this.#text = text;
    this.#isEscaped = isEscaped;
    this.at = start;
    this.#end = end;
  }

  /** Steps over spaces. @returns the character that follows; `"` where a string begins, NaN at the end */
  peek(): number {
    for (;;) {
      if (this.at >= this.#end) return Number.NaN;
      const code = this.#text.charCodeAt(this.at);
      if (code === space || code === newline || code === carriageReturn || code === tab) {
        this.at += 1;
      } else if (code === backslash && this.#isEscaped) {
        const escaped = this.#text.charCodeAt(this.at + 1);
        if (escaped === quote) return quote;
        if (escaped !== letterN && escaped !== letterR && escaped !== letterT) return code;
        this.at += 2;
      } else {
        return code;
      }
    }
  }

  /** The value that begins here, or after spaces. @throws notSelectable */
  read(selection: Selection): Selected {
    const from = this.at;
    const first = this.peek();
    if (first === openBrace && selection.members !== null) return this.#readObject(selection.members);
    if (first === openBracket && selection.item !== null) return this.#readList(selection.item);
    const value = this.#readWhole(first, selection);
    return this.recorder === null ? value : this.recorder.taken(from, this.at, selection, value);
  }

  /** Whether parts are selected of the value that begins here, or after spaces. */
  hasParts({ members, item }: Selection): boolean {
    if (members === null && item === null) return false;
    const first = this.peek();
    return (first === openBrace && members !== null) || (first === openBracket && item !== null);
  }

  /** Whether a text begins here, or after spaces. */
  isText(): boolean {
    return this.peek() === quote;
  }

  /** Steps over a text, if it stands here. Two texts are compared many characters at a time, `startsWith` takes one after the other. */
  take(part: string): boolean {
    const { length } = part;
    const until = this.at + length;
    if (this.#text.charCodeAt(until - 1) !== part.charCodeAt(length - 1)) return false;
    const isHere = length < longPart ? this.#text.startsWith(part, this.at) : this.#text.slice(this.at, until) === part;
    if (isHere) this.at = until;
    return isHere;
  }

  #readWhole(first: number, { members, item }: Selection): Selected {
    switch (first) {
      case openBrace:
        return this.#stepOver(someObject);
      case openBracket:
        return this.#stepOver(someList);
      case quote:
        return members === null && item === null ? this.#readText() : this.#stepOver(someText);
      default:
        return this.#readScalar();
    }
  }

  #readObject(members: ReadonlyMap<string, Member>): Selected {
    const object: Record<string, Selected> = {};
    this.at += 1;
    let next = this.peek();
    if (next === closeBrace) {
      this.at += 1;
      return object;
    }
    for (;;) {
      if (next !== quote) throw notSelectable;
      const key = this.#readText();
      if (this.peek() !== colon) throw notSelectable;
      this.at += 1;
      const member = members.get(key);
      if (member === undefined) this.#skipMember();
      else object[member.name] = this.read(member.selection);
      next = this.peek();
      this.at += 1;
      if (next === closeBrace) return object;
      if (next !== comma) throw notSelectable;
      next = this.peek();
    }
  }

  #readList(item: Selection): Selected {
    const list: Selected[] = [];
    this.at += 1;
    if (this.peek() === closeBracket) {
      this.at += 1;
      return list;
    }
    for (;;) {
      if (list.length === maxElements) throw notSelectable;
      list.push(this.read(item));
      const next = this.peek();
      this.at += 1;
      if (next === closeBracket) return list;
      if (next !== comma) throw notSelectable;
    }
  }

  #readText(): string {
    const from = this.at + (this.#isEscaped ? 2 : 1);
    const close = this.#findQuote(from);
    this.at = close + 1;
    const text = this.#text.slice(from, this.#isEscaped ? close - 1 : close);
    return (this.#isEscaped ? backslashOrByte : aBackslash).test(text) ? decode(text, this.#isEscaped) : text;
  }

  #readScalar(): Selected {
    const from = this.at;
    this.#skipScalar();
    const count = countAt(this.#text, from, this.at);
    if (count !== -1) return count;
    const token = this.#text.slice(from, this.at);
    if (token === 'null') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    if (!number.test(token)) throw notSelectable;
    return Number(token);
  }

  #stepOver(mark: Selected): Selected {
    this.skip();
    return mark;
  }

  #skipMember(): void {
    const from = this.at;
    this.skip();
    this.recorder?.skipped(from, this.at);
  }

  /** Steps over any value, however deeply nested. @throws notSelectable */
  skip(): void {
    const first = this.peek();
    if (first === quote) {
      this.at = this.#findQuote(this.at + (this.#isEscaped ? 2 : 1)) + 1;
      return;
    }
    if (first !== openBrace && first !== openBracket) {
      this.#skipScalar();
      return;
    }
    let [braces, brackets] = [0, 0];
    do {
      const code = this.#text.charCodeAt(this.at);
      if (this.at >= this.#end) throw notSelectable;
      if (code === quote) {
        this.at = this.#findQuote(this.at + 1) + 1;
        continue;
      }
      this.at += 1;
      // What it escapes follows: a space, or the quote of a string, which is read in the next turn.
      if (code === openBrace) braces += 1;
      else if (code === closeBrace) braces -= 1;
      else if (code === openBracket) brackets += 1;
      else if (code === closeBracket) brackets -= 1;
    } while (braces > 0 || brackets > 0);
    if (braces < 0 || brackets < 0) throw notSelectable;
  }

  #skipScalar(): void {
    const from = this.at;
    while (this.at < this.#end) {
      const code = this.#text.charCodeAt(this.at);
      if (code === comma || code === closeBrace || code === closeBracket || code <= space || code === backslash) break;
      this.at += 1;
    }
    if (this.at === from) throw notSelectable;
  }

  /** Where the quote is that ends the string whose text begins at `from`. */
  #findQuote(from: number): number {
    let at = from;
    for (;;) {
      const found = this.#text.indexOf('"', at);
      if (found === -1 || found >= this.#end) throw notSelectable;
      let slashes = 0;
      while (this.#text.charCodeAt(found - 1 - slashes) === backslash) slashes += 1;
      if (this.#isEscaped ? slashes % 4 === 1 : slashes % 2 === 0) return found;
      at = found + 1;
    }
  }
}

export interface TextPlace {
  isEscaped: boolean;
  /** @default the beginning of the text */
  start?: number;
  /** @default the end of the text */
  end?: number;
}

/** The one value that a whole text is. Null: it is none. Never throws, and takes no more than a few times the text. */
export function selectJson(text: string, selection: Selection, place: TextPlace): Selected | undefined {
  const selector = new JsonSelector(text, place);
  try {
    const value = selector.read(selection);
    return Number.isNaN(selector.peek()) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A whole number of few digits, as most numbers are. -1: something else. */
function countAt(text: string, from: number, until: number): number {
  if (until - from > 9 || (text.charCodeAt(from) === zero && until - from > 1)) return -1;
  let count = 0;
  for (let at = from; at < until; at += 1) {
    const digit = text.charCodeAt(at) - zero;
    if (digit < 0 || digit > 9) return -1;
    count = 10 * count + digit;
  }
  return count;
}

/** @throws SyntaxError when it has an escape that JSON does not know */
function decode(text: string, isEscaped: boolean): string {
  if (!isEscaped) return JSON.parse(`"${text}"`) as string;
  const once = JSON.parse(`"${Buffer.from(text, 'latin1').toString()}"`) as string;
  return JSON.parse(`"${once}"`) as string;
}

function isList(wanted: Wanted): wanted is readonly [Wanted] {
  return Array.isArray(wanted);
}
