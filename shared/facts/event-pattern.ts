import { fill, fillIn, type Outline, Slot } from './event-outline.ts';
import {
  type JsonSelector,
  type Recorder,
  type Selected,
  type Selection,
  selectJson,
  someText,
} from './select-json.ts';

/** What is wanted of the value in a gap of a text: of `any` nothing, and of `text` only that it is one. */
type Gap = Selection | 'any' | 'text';

/** The text of an event with gaps for values, and what is selected of it. */
export interface Pattern {
  /** before, between and behind the gaps */
  parts: readonly string[];
  gaps: readonly Gap[];
  outline: Outline;
  /** whether no gap has a value that is wanted */
  isConstant: boolean;
}

/** What was found in the gaps of a pattern. */
export interface Found {
  /** those that are wanted */
  values: Selected[];
  /** of all values: from and until by turns */
  places: number[];
}

/**
 * Reads what begins at `at` where it has the text of a pattern; then the selector is behind it.
 *
 * Up to a gap the text is that of the pattern's example, so whoever reads it key by key stands there in the same place of the same
 * object, and what it would do with the value is done here by the same selector: the result is the same, whatever the text is.
 *
 * @param found to which is added what is in the gaps
 * @returns undefined: it has another text
 * @throws notSelectable as the selector does
 */
export function matchPattern(
  pattern: Pattern,
  selector: JsonSelector,
  at: number,
  { values, places }: Found,
): Selected | undefined {
  const { parts, gaps, outline, isConstant } = pattern;
  selector.at = at;
  if (!selector.take(parts[0] as string) || !takeValues(pattern, selector, values, places)) return undefined;
  if (gaps.length > 0 && !selector.take(parts[gaps.length] as string)) return undefined;
  return isConstant ? (outline as Selected) : fill(outline, values);
}

/**
 * The same for one event and those of its pattern that follow it.
 *
 * @param pattern has a gap
 * @param joint the end of one event and the beginning of the next, with what stands between them
 * @returns whether there is one
 */
export function matchRun(
  pattern: Pattern,
  joint: string,
  { selector, at, events }: { selector: JsonSelector; at: number; events: Selected[] },
): boolean {
  const { parts, gaps, outline, isConstant } = pattern;
  const last = parts[gaps.length] as string;
  let event: Selected | undefined = isConstant ? (outline as Selected) : undefined;
  let before: readonly Selected[] = [];
  let end = -1;
  selector.at = at;
  for (let isNext = selector.take(parts[0] as string); isNext; ) {
    const values: Selected[] | null = isConstant ? null : [];
    if (!takeValues(pattern, selector, values, null)) break;
    const until = selector.at + last.length;
    isNext = selector.take(joint);
    if (!isNext && !selector.take(last)) break;
    if (event === undefined || values?.some((value, index) => value !== before[index])) {
      event = fill(outline, values ?? []);
      before = values ?? [];
    }
    events.push(event);
    end = until;
  }
  selector.at = end;
  return end !== -1;
}

/** Steps behind the value in the last gap, of a text that has the pattern's until there. */
function takeValues(
  { parts, gaps }: Pattern,
  selector: JsonSelector,
  values: Selected[] | null,
  places: number[] | null,
): boolean {
  for (let index = 0; index < gaps.length; index += 1) {
    if (index > 0 && !selector.take(parts[index] as string)) return false;
    const from = selector.at;
    const wanted = gaps[index] as Gap;
    if (wanted === 'any') {
      selector.skip();
    } else if (wanted === 'text') {
      if (!selector.isText()) return false;
      selector.skip();
    } else {
      if (selector.hasParts(wanted)) return false;
      values?.push(selector.read(wanted));
    }
    places?.push(from, selector.at);
  }
  return true;
}

/** An event that was taken apart. */
export class EventExample {
  readonly #text: string;
  readonly #isEscaped: boolean;
  readonly #from: number;
  readonly #until: number;
  readonly #gaps: readonly Gap[];
  /** of the values in gaps: from and until by turns */
  readonly #places: readonly number[];
  readonly #outline: Outline;
  readonly #values: readonly Selected[] | null;

  /**
   * @param place of the event in the text
   * @param parts.values that are wanted; null: they are read when they are needed
   */
  constructor(
    text: string,
    place: { isEscaped: boolean; from: number; until: number },
    parts: {
      gaps: readonly Gap[];
      places: readonly number[];
      outline: Outline;
      values: readonly Selected[] | null;
    },
  ) {
    this.#text = text;
    this.#isEscaped = place.isEscaped;
    this.#from = place.from;
    this.#until = place.until;
    this.#gaps = parts.gaps;
    this.#places = parts.places;
    this.#outline = parts.outline;
    this.#values = parts.values;
  }

  get gaps(): number {
    return this.#gaps.length;
  }

  /** Characters that belong to no value. */
  get structureLength(): number {
    let length = this.#until - this.#from;
    for (let index = 0; index < this.gaps; index += 1) length -= this.value(index).length;
    return length;
  }

  /** All that is no value. */
  structure(): string {
    return Array.from({ length: this.gaps + 1 }, (_, index) => this.#before(index)).join('\0');
  }

  /** The value in a gap, as it is written. */
  value(index: number): string {
    return this.#text.slice(this.#places[2 * index], this.#places[2 * index + 1]);
  }

  /** Such events as differ from this one only in the values that vary. */
  pattern(varies: readonly boolean[]): Pattern {
    const parts: string[] = [];
    const gaps: Gap[] = [];
    const values: Outline[] = [];
    let [from, slots] = [this.#from, 0];
    for (let index = 0; index < this.gaps; index += 1) {
      const gap = this.#gaps[index] as Gap;
      if (varies[index]) {
        parts.push(this.#text.slice(from, this.#places[2 * index]));
        gaps.push(gap);
        from = this.#places[2 * index + 1] as number;
      }
      if (typeof gap === 'string') continue;
      values.push(varies[index] ? new Slot(slots) : this.#read(index, gap, values.length));
      if (varies[index]) slots += 1;
    }
    parts.push(this.#text.slice(from, this.#until));
    return { parts, gaps, outline: fillIn(this.#outline, values), isConstant: slots === 0 };
  }

  /** The same with a text of its own, without values that are longer than that: a part of a text keeps the whole in memory. */
  copy(longestValue: number): EventExample {
    let text = '';
    const places: number[] = [];
    for (let index = 0; index < this.gaps; index += 1) {
      text += this.#before(index);
      const value = this.value(index);
      places.push(text.length, text.length + (value.length > longestValue ? 0 : value.length));
      if (value.length <= longestValue) text += value;
    }
    text += this.#before(this.gaps);
    const encoding = this.#isEscaped ? 'latin1' : 'utf8';
    return new EventExample(
      Buffer.from(text, encoding).toString(encoding),
      { isEscaped: this.#isEscaped, from: 0, until: text.length },
      { gaps: this.#gaps, places, outline: this.#outline, values: null },
    );
  }

  /** The text between a gap and the one before it. */
  #before(index: number): string {
    const from = index === 0 ? this.#from : this.#places[2 * index - 1];
    return this.#text.slice(from, index === this.gaps ? this.#until : this.#places[2 * index]);
  }

  /** @param wanted its number among the values that are wanted */
  #read(index: number, selection: Selection, wanted: number): Selected {
    if (this.#values !== null) return this.#values[wanted] as Selected;
    return selectJson(this.value(index), selection, { isEscaped: this.#isEscaped }) as Selected;
  }
}

/** Notes the values of an event while it is read, and puts slots in their places. */
export class EventRecorder implements Recorder {
  readonly gaps: Gap[] = [];
  readonly places: number[] = [];
  readonly #most: number;
  readonly values: Selected[] = [];

  /** @param most after so many values it notes no more */
  constructor(most: number) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.gaps.length === this.#most;
  }

  skipped(from: number, until: number): void {
    this.#note('any', from, until);
  }

  taken(from: number, until: number, selection: Selection, value: Selected): Selected {
    const isText = value === someText && (selection.members !== null || selection.item !== null);
    this.#note(isText ? 'text' : selection, from, until);
    if (isText) return value;
    // The selector only puts it where it belongs.
    return new Slot(this.values.push(value) - 1) as unknown as Selected;
  }

  #note(gap: Gap, from: number, until: number): void {
    if (this.isFull) return;
    this.gaps.push(gap);
    this.places.push(from, until);
  }
}
