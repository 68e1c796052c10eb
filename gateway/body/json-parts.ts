import { isUtf8 } from 'node:buffer';
import { Refusal } from '../http/refusal.ts';
import type { Slice } from './slice.ts';

/**
 * JSON values that are parsed at once, at most: members of objects and elements of lists, however deep. A list of millions of empty
 * objects fits into a few MiB, and would hold up all senders for seconds.
 */
export const maxValues = 250_000;

/** A value takes two bytes at least, so shorter text cannot have too many. */
const harmlessBytes = 2 * maxValues;

/** Deeper nesting is taken for no JSON. */
const maxDepth = 100_000;

/** How often it is asked whether others should have a turn, in bytes. */
const bytesPerLook = 65_536;

const whiteSpace = new Set(Buffer.from(' \n\r\t'));
const quote = 0x22;
const comma = 0x2c;
const openList = 0x5b;
const backslash = 0x5c;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** A record, or a part of a body, has more values than are parsed at once. */
export class TooManyValuesError extends Error {
  override readonly name = 'TooManyValuesError';
}

/** What is said of such a record. */
export const tooManyValues = `has more than ${maxValues} JSON values; send what is large in it as text`;

/** Whether text is so short that it can be parsed at once, whatever is in it. */
export function isHarmless(text: Uint8Array | string): boolean {
  return text.length <= harmlessBytes;
}

/** Whether text has more values than are parsed at once. Text that is no JSON may be taken either way. */
export function hasTooManyValues(text: Uint8Array): boolean {
  if (isHarmless(text)) return false;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text[at];
    if (code === quote) at = endOfString(text, at);
    else if (code === comma || code === openList || code === openObject) values += 1;
    if (values > maxValues) return true;
  }
  return false;
}

/** A JSON text, in which some lists are parsed element by element. */
export interface JsonParts {
  /** the value, with the index of its part in place of each of those elements */
  outline: unknown;
  /** an element that has too many values is the error that says so */
  parts: readonly unknown[];
}

/**
 * Parses JSON of any size without holding up the event loop. Lists at one place are parsed element by element: those that are in
 * the containers `within`, from the outermost to the list itself. `[` is a list that is the whole text, `{[` one that is a member of an
 * object.
 *
 * @param what they are, in the plural
 * @throws Refusal when the text is no JSON, has more than `maxParts` of these elements, or too many values outside of them
 */
export async function parseJsonParts(
  text: Buffer,
  { within, what, maxParts, slice }: { within: string; what: string; maxParts: number; slice: Slice },
): Promise<JsonParts> {
  if (!isUtf8(text)) throw noJson('is not UTF-8');
  const cutter = new Cutter(text, Buffer.from(within));
  while (cutter.goOn()) {
    if (cutter.parts.length > maxParts)
      throw new Refusal('too-large', `The body has more than ${maxParts} ${what}; send them in several bodies`);
    if (slice.isOver) await slice.next();
  }
  const isWhole = cutter.parts.length === 0;
  const outline = parse(isWhole ? text : Buffer.from(cutter.outline), isWhole ? '' : `, outside of its ${what}`);
  const parts: unknown[] = [];
  for (const [index, { start, end }] of cutter.parts.entries()) {
    const part = text.subarray(start, end);
    parts.push(hasTooManyValues(part) ? new TooManyValuesError() : parse(part, `, in number ${index} of its ${what}`));
    if (slice.isOver) await slice.next();
  }
  return { outline, parts };
}

function parse(text: Buffer, where: string): unknown {
  if (hasTooManyValues(text)) throw new Refusal('too-large', `The body ${tooManyValues}${where}`);
  try {
    return JSON.parse(text.toString());
  } catch {
    throw noJson(`is not JSON${where}`);
  }
}

function noJson(reason: string): Refusal {
  return new Refusal('invalid-json', `The body ${reason}`);
}

/** Cuts elements out of lists, by brackets and strings alone: whether the pieces are JSON is seen when they are parsed. */
class Cutter {
  readonly parts: { start: number; end: number }[] = [];
  /** the text with an index in place of each part */
  outline = '';
  readonly #text: Buffer;
  readonly #within: Buffer;
  readonly #open: number[] = [];
  /** how many of the open containers are those that were asked for, from the outermost on */
  #matching = 0;
  #at = 0;
  /** of what is neither in the outline nor in a part yet */
  #from = 0;

  constructor(text: Buffer, within: Buffer) {
    this.#text = text;
    this.#within = within;
  }

  /** Whether there is more to do. */
  goOn(): boolean {
    const text = this.#text;
    const until = Math.min(text.length, this.#at + bytesPerLook);
    for (; this.#at < until; this.#at += 1) {
      const code = text[this.#at];
      if (code === quote) this.#at = endOfString(text, this.#at);
      else if (code === comma) this.#endPart();
      else if (code === openList || code === openObject) this.#enter(code);
      else if (code === closeList) this.#leave(openList);
      else if (code === closeObject) this.#leave(openObject);
    }
    if (this.#at < text.length) return true;
    if (this.#open.length > 0) throw noJson('is not JSON: it ends too soon');
    this.outline += text.toString('utf8', this.#from);
    return false;
  }

  get #isInList(): boolean {
    return this.#matching === this.#within.length && this.#open.length === this.#matching;
  }

  #enter(code: number): void {
    const depth = this.#open.push(code);
    if (depth > maxDepth) throw noJson('is nested too deeply');
    if (this.#matching === depth - 1 && this.#within[this.#matching] === code) this.#matching = depth;
    if (this.#isInList) this.#keep(this.#at + 1);
  }

  #leave(opener: number): void {
    this.#endPart();
    if (this.#open.pop() !== opener) throw noJson('is not JSON: its brackets do not match');
    this.#matching = Math.min(this.#matching, this.#open.length);
  }

  /** Takes what was up to here for an element of a list that is cut. */
  #endPart(): void {
    if (!this.#isInList) return;
    const start = this.#from;
    // Nothing in its place lets the outline tell an empty list from an element that is missing.
    if (!this.#isBlank(start, this.#at)) this.outline += String(this.parts.push({ start, end: this.#at }) - 1);
    this.#from = this.#at;
    if (this.#text[this.#at] === comma) this.#keep(this.#at + 1);
  }

  #keep(until: number): void {
    this.outline += this.#text.toString('utf8', this.#from, until);
    this.#from = until;
  }

  #isBlank(from: number, until: number): boolean {
    for (let at = from; at < until; at += 1) if (!whiteSpace.has(this.#text[at] as number)) return false;
    return true;
  }
}

/** Where the string ends that begins at `from`, or the text does. A plain loop: a search for each quote takes longer where escapes are frequent. */
function endOfString(text: Uint8Array, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text[at];
    if (code === quote) return at;
    if (code === backslash) at += 1;
  }
  return text.length;
}
