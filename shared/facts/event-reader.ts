import type { EventForm, EventForms } from './event-forms.ts';
import { fill, toOutline } from './event-outline.ts';
import { EventExample, EventRecorder, type Found, matchPattern, matchRun, type Pattern } from './event-pattern.ts';
import { JsonSelector, type Selected } from './select-json.ts';

/** What has as many values has no form. */
const mostValues = 64;

/** An event that has a pattern, and where it and its values are. */
interface PlacedPattern {
  pattern: Pattern;
  from: number;
  until: number;
  found: Found;
}

/**
 * Reads the events of one stream. Most differ in a piece of text only from the one before, and are compared with it; others have a
 * form that is known from streams before; the rest is read.
 */
export class EventReader {
  readonly events: Selected[] = [];
  readonly #text: string;
  readonly #selector: JsonSelector;
  readonly #forms: EventForms;
  #hints: number[];
  /** the last event that was found by its form */
  #last: PlacedPattern | null = null;
  /** where the event before this one ends; -1: there is none */
  #end = -1;
  #repeated: { form: EventForm; pattern: Pattern; joint: string } | null = null;

  constructor(text: string, forms: EventForms) {
    this.#text = text;
    this.#selector = new JsonSelector(text, forms);
    this.#forms = forms;
    this.#hints = forms.first;
    forms.begin();
  }

  /**
   * Reads the event that begins at `at`, when it is like one before, and those that follow and are like it.
   *
   * @returns where the last of them ends; -1: there is none
   * @throws notSelectable
   */
  match(at: number): number {
    if (!this.#matchRepeated(at) && !this.#matchForm(at)) return -1;
    this.#end = this.#selector.at;
    return this.#end;
  }

  /**
   * Reads any event.
   *
   * @param start where what belongs to it begins, as its name
   * @param at where its JSON begins
   * @returns where it ends
   * @throws notSelectable
   */
  read(start: number, at: number): number {
    this.#selector.at = at;
    this.events.push(this.#forms.mayLearn ? this.#learn(start) : this.#selector.read(this.#forms.selection));
    this.#end = this.#selector.at;
    return this.#end;
  }

  #learn(start: number): Selected {
    const recorder = new EventRecorder(mostValues);
    this.#selector.recorder = recorder;
    const outline = toOutline(this.#selector.read(this.#forms.selection));
    this.#selector.recorder = null;
    const place = { isEscaped: this.#forms.isEscaped, from: start, until: this.#selector.at };
    const number = recorder.isFull
      ? -1
      : this.#forms.learn(new EventExample(this.#text, place, { ...recorder, outline }));
    this.#last = null;
    if (number !== -1) this.#follow(number);
    return fill(outline, recorder.values);
  }

  #matchRepeated(at: number): boolean {
    if (this.#repeated === null) return false;
    const { pattern, joint, form } = this.#repeated;
    if (!matchRun(pattern, joint, { selector: this.#selector, at, events: this.events })) return false;
    this.#hints = form.next;
    return true;
  }

  #matchForm(at: number): boolean {
    for (const number of this.#hints) {
      const { pattern } = this.#forms.at(number);
      const found: Found = { values: [], places: [] };
      const event = matchPattern(pattern, this.#selector, at, found);
      if (event === undefined) continue;
      this.events.push(event);
      this.#remember(this.#follow(number), at, found);
      return true;
    }
    return false;
  }

  #follow(number: number): EventForm {
    toFront(this.#hints, number, this.#hints === this.#forms.first ? mostFirst : mostNext);
    const form = this.#forms.use(number);
    this.#hints = form.next;
    return form;
  }

  /** Prepares for an event like this one, if such events follow each other. */
  #remember(form: EventForm, from: number, found: Found): void {
    const last = this.#last;
    const now = { pattern: form.pattern, from, until: this.#selector.at, found };
    this.#last = now;
    if (last?.pattern === form.pattern) form.noteChanges(this.#exampleOf(last), this.#exampleOf(now));
    if (form.changes?.includes(true) !== true) return;
    const pattern = this.#exampleOf(now).pattern(form.changes);
    // What stands before the first event may stand only there.
    const between = this.#end === -1 ? emptyLine(this.#forms.isEscaped) : this.#text.slice(this.#end, from);
    this.#repeated = { form, pattern, joint: `${pattern.parts.at(-1)}${between}${pattern.parts[0]}` };
  }

  #exampleOf({ pattern: { gaps, outline }, from, until, found: { places, values } }: PlacedPattern): EventExample {
    const place = { isEscaped: this.#forms.isEscaped, from, until };
    return new EventExample(this.#text, place, { gaps, places, outline, values });
  }
}

const emptyLine = (isEscaped: boolean): string => (isEscaped ? String.raw`\n\n` : '\n\n');

/** So many forms are tried for an event that follows another, and for the first one. */
const [mostNext, mostFirst] = [4, 16];

/** Puts a number first, and leaves out the last one when there are too many. */
function toFront(numbers: number[], number: number, most: number): void {
  if (numbers[0] === number) return;
  const at = numbers.indexOf(number);
  if (at !== -1) numbers.splice(at, 1);
  else if (numbers.length === most) numbers.pop();
  numbers.unshift(number);
}
