import type { JsonSelector, Selected } from './select-json.ts';

/** A value of an event that was stepped over: what is selected does not depend on it. */
interface Gap {
  /** where it is in the text */
  from: number;
  until: number;
  isText: boolean;
  /** whether it was another one in an event that matched */
  varies: boolean;
}

/** A text with gaps, and what stands before, between and behind them. */
interface Pattern {
  parts: readonly string[];
  gaps: readonly Gap[];
}

/**
 * An event and its text. What has the same text but for the values that were stepped over says the same: most events of a stream
 * differ in a piece of text only, and need not be taken apart again.
 *
 * Most of these values, such as an id and the name of a model, are the same in all events, too. So an event is compared first with
 * the text that has gaps only for those that were found to vary, and then with the one that has gaps for all.
 */
export class EventTemplate {
  readonly event: Selected;
  readonly #text: string;
  readonly #from: number;
  readonly #until: number;
  readonly #wide: Pattern;
  /** null: no event has matched yet */
  #narrow: Pattern | null = null;

  /**
   * @param place of the event in the text
   * @param skipped by the selector that has read it
   */
  constructor(event: Selected, text: string, place: { from: number; until: number }, skipped: readonly number[]) {
    this.event = event;
    this.#text = text;
    this.#from = place.from;
    this.#until = place.until;
    const gaps: Gap[] = [];
    for (let index = 0; index < skipped.length; index += 2) {
      const [from, until] = [skipped[index] as number, skipped[index + 1] as number];
      const first = text.charCodeAt(from);
      gaps.push({ from, until, isText: first === quote || first === backslash, varies: false });
    }
    this.#wide = this.#patternOf(gaps);
  }

  /** Whether what begins at `at` is such an event; then the selector is behind it. */
  matches(selector: JsonSelector, at: number): boolean {
    if (this.#narrow !== null && this.#isAt(this.#narrow, selector, at, null)) return true;
    const places: number[] = [];
    if (!this.#isAt(this.#wide, selector, at, places)) return false;
    this.#narrowBy(places);
    return true;
  }

  /** @param places to which those of the values are added */
  #isAt({ parts, gaps }: Pattern, selector: JsonSelector, at: number, places: number[] | null): boolean {
    selector.at = at;
    for (let index = 0; index < parts.length; index += 1) {
      if (!this.#stands(parts[index] as string, selector.at)) return false;
      selector.at += (parts[index] as string).length;
      const gap = gaps[index];
      if (gap === undefined) continue;
      const from = selector.at;
      if (!selector.skipScalar(gap.isText)) return false;
      places?.push(from, selector.at);
    }
    return true;
  }

  /** Whether it is at that place. Two texts are compared many characters at a time, `startsWith` takes one after the other. */
  #stands(part: string, at: number): boolean {
    return part.length < longPart ? this.#text.startsWith(part, at) : this.#text.slice(at, at + part.length) === part;
  }

  /** @param places of the values of an event that matches */
  #narrowBy(places: readonly number[]): void {
    for (const [index, gap] of this.#wide.gaps.entries()) {
      const value = this.#text.slice(places[2 * index], places[2 * index + 1]);
      if (this.#text.slice(gap.from, gap.until) !== value) gap.varies = true;
    }
    this.#narrow = this.#patternOf(this.#wide.gaps.filter(({ varies }) => varies));
  }

  #patternOf(gaps: readonly Gap[]): Pattern {
    const parts: string[] = [];
    let start = this.#from;
    for (const { from, until } of gaps) {
      parts.push(this.#text.slice(start, from));
      start = until;
    }
    parts.push(this.#text.slice(start, this.#until));
    return { parts, gaps };
  }
}

const [quote, backslash] = [0x22, 0x5c];
/** From about this length on, a slice costs less than it saves. */
const longPart = 80;
