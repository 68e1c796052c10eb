import type { EventExample, Pattern } from './event-pattern.ts';
import type { Selection } from './select-json.ts';

const mostForms = 64;
/** To learn an event costs several times what it costs to read it: it is done so often, and after that once in some streams. */
const mostCredit = 256;
const creditOfStream = 1 / 4;
/** Characters of an event that belong to no value. */
const longestForm = 4_096;
/** A longer value is another one in each event. */
const longestValue = 64;
/** Numbers of forms that came next, the last one first. They may have become those of other forms: they only say what to try. */
type Hints = number[];

/** What events have in common that differ in their values only, and what it is good to try after them. */
export class EventForm {
  readonly structure: string;
  readonly #example: EventExample;
  readonly #varies: boolean[];
  /** of such events as were seen until now: a value that was the same in all of them is text */
  pattern: Pattern;
  /** which values in its gaps differ between events of one stream; null: no two have followed each other */
  changes: boolean[] | null = null;
  readonly next: Hints = [];
  usedAt = 0;

  constructor(event: EventExample) {
    this.#example = event.copy(longestValue);
    this.structure = this.#example.structure();
    this.#varies = Array.from({ length: event.gaps }, (_, index) => event.value(index).length > longestValue);
    this.pattern = this.#example.pattern(this.#varies);
  }

  /** Adds one of the same structure to those that it stands for. */
  add(event: EventExample): void {
    for (let index = 0; index < this.#varies.length; index += 1)
      this.#varies[index] ||= this.#example.value(index) !== event.value(index);
    this.pattern = this.#example.pattern(this.#varies);
    this.changes = null;
  }

  /** Notes how two events of a stream differ that match the pattern. */
  noteChanges(before: EventExample, event: EventExample): void {
    this.changes ??= this.pattern.gaps.map(() => false);
    for (let index = 0; index < this.changes.length; index += 1)
      this.changes[index] ||= before.value(index) !== event.value(index);
  }
}

/**
 * The forms of events that streams have, kept from one stream to the next: what an event has in common with those before it is
 * compared as text, and not read again. They make reading sooner and change nothing of its result, since a form is used only where the
 * text agrees with it. So many of this size take about a megabyte at most.
 */
export class EventForms {
  readonly selection: Selection;
  readonly isEscaped: boolean;
  /** of the forms that streams begin with */
  readonly first: Hints = [];
  readonly #forms: EventForm[] = [];
  #uses = 0;
  #credit = mostCredit;

  /** @param isEscaped of the texts: see JsonSelector */
  constructor(selection: Selection, isEscaped: boolean) {
    this.selection = selection;
    this.isEscaped = isEscaped;
  }

  /** A stream begins. */
  begin(): void {
    this.#credit = Math.min(mostCredit, this.#credit + creditOfStream);
  }

  get mayLearn(): boolean {
    return this.#credit >= 1;
  }

  /** The form of this number, by which an event was found. */
  use(number: number): EventForm {
    const form = this.at(number);
    this.#uses += 1;
    form.usedAt = this.#uses;
    return form;
  }

  at(number: number): EventForm {
    return this.#forms[number] as EventForm;
  }

  /** Adds an event to its form, which may be a new one. @returns the form's number; -1: it is too large to be kept */
  learn(event: EventExample): number {
    this.#credit -= 1;
    if (event.structureLength > longestForm) return -1;
    const structure = event.structure();
    const known = this.#forms.findIndex((form) => form.structure === structure);
    if (known !== -1) {
      this.at(known).add(event);
      return known;
    }
    const number = this.#forms.length < mostForms ? this.#forms.length : this.#leastUsed();
    this.#forms[number] = new EventForm(event);
    return number;
  }

  #leastUsed(): number {
    let least = 0;
    for (const [number, { usedAt }] of this.#forms.entries()) if (usedAt < this.at(least).usedAt) least = number;
    return least;
  }
}
