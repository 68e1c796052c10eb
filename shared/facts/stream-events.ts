import {
  JsonSelector,
  notSelectable,
  type Selected,
  type Selection,
  selectJson,
  type TextPlace,
} from './select-json.ts';

/** How a stream of server-sent events ended, as far as its text says. */
export interface StreamEnd {
  /** it has the mark of OpenAI's streams */
  isDone: boolean;
  /** an event is no JSON, as the last one of a stream that was cut: it was read up to there */
  isDamaged: boolean;
}

const fieldName = /^(?:data|event|id|retry)?:/;

/** Whether a text begins as server-sent events do. */
export function isEventStream(text: string, start = 0): boolean {
  return fieldName.test(text.slice(start, start + 10));
}

const [newline, carriageReturn, space, quote, backslash, openBrace] = [0x0a, 0x0d, 0x20, 0x22, 0x5c, 0x7b];
const [letterN, letterR] = [0x6e, 0x72];
const data = 'data:';
const doneMark = '[DONE]';

/** Gives the JSON objects of a stream to `take`, one after the other. Never throws unless `take` does. */
export function readEvents(
  text: string,
  isEscaped: boolean,
  selection: Selection,
  take: (event: Selected) => void,
): StreamEnd {
  const events: Selected[] = [];
  const end = readLines(text, { isEscaped }, selection, events) ?? readSplitEvents(text, isEscaped, selection, events);
  for (const event of events) take(event);
  return end;
}

/** Reads events of which each is in one line, as all providers write them. Null: only a split of the lines can tell. */
function readLines(text: string, place: TextPlace, selection: Selection, events: Selected[]): StreamEnd | null {
  const { isEscaped } = place;
  const selector = new JsonSelector(text, place);
  const blankLine = isEscaped ? '\\n\\n' : '\n\n';
  let template: Template | null = null;
  let isDone = false;
  let at = 0;
  try {
    while (at < text.length) {
      if (template !== null && matches(template, text, selector, at)) {
        events.push(template.event);
        at = selector.at;
        if (text.startsWith(blankLine, at)) {
          at += blankLine.length;
          continue;
        }
        if (!isAtLineEnd(text, at, isEscaped)) return null;
      } else if (text.startsWith(data, at)) {
        const from = at;
        at += data.length;
        while (text.charCodeAt(at) === space) at += 1;
        if (text.charCodeAt(at) === openBrace) {
          selector.at = at;
          selector.skipped = [];
          const event = selector.read(selection);
          events.push(event);
          at = selector.at;
          if (!isAtLineEnd(text, at, isEscaped)) return null;
          template = toTemplate(event, text, { from, until: at }, selector.skipped);
          selector.skipped = null;
        } else if (text.startsWith(doneMark, at)) {
          isDone = true;
        }
      }
      at = nextLine(text, at, isEscaped);
    }
  } catch (error) {
    if (error === notSelectable || error instanceof SyntaxError) return null;
    throw error;
  }
  return { isDone, isDamaged: false };
}

/**
 * An event, and all of its text but for the values in it that were stepped over. What is the same but for these values says the same: most
 * events of a stream differ in a piece of text only, and need not be taken apart again.
 */
interface Template {
  event: Selected;
  /** before, between and behind these values */
  parts: string[];
  /** of each value, whether it is a text */
  areTexts: boolean[];
}

function toTemplate(
  event: Selected,
  text: string,
  { from, until }: { from: number; until: number },
  skipped: readonly number[],
): Template {
  const template: Template = { event, parts: [], areTexts: [] };
  let start = from;
  for (let index = 0; index < skipped.length; index += 2) {
    const valueFrom = skipped[index] as number;
    const first = text.charCodeAt(valueFrom);
    template.parts.push(text.slice(start, valueFrom));
    template.areTexts.push(first === quote || first === backslash);
    start = skipped[index + 1] as number;
  }
  template.parts.push(text.slice(start, until));
  return template;
}

/** Whether what begins at `at` is such an event; then the selector is behind it. */
function matches({ parts, areTexts }: Template, text: string, selector: JsonSelector, at: number): boolean {
  selector.at = at;
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] as string;
    if (!text.startsWith(part, selector.at)) return false;
    selector.at += part.length;
    if (index < areTexts.length && !selector.skipScalar(areTexts[index] as boolean)) return false;
  }
  return true;
}

function isAtLineEnd(text: string, from: number, isEscaped: boolean): boolean {
  let at = from;
  while (text.charCodeAt(at) === space) at += 1;
  if (at >= text.length) return true;
  const code = text.charCodeAt(at);
  if (!isEscaped) return code === newline || code === carriageReturn;
  const escaped = text.charCodeAt(at + 1);
  return code === backslash && (escaped === letterN || escaped === letterR);
}

/** Where the line after that of `from` begins. A pair of end characters ends an empty line, too, which does no harm. */
function nextLine(text: string, from: number, isEscaped: boolean): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isEscaped) {
      if (code === newline || code === carriageReturn) return at + 1;
    } else if (code === backslash) {
      at += 1;
      const escaped = text.charCodeAt(at);
      if (escaped === letterN || escaped === letterR) return at + 1;
    }
  }
  return text.length;
}

/** As the standard says it: an event has the text of all its data lines. It stops at the first that is no JSON. */
function readSplitEvents(text: string, isEscaped: boolean, selection: Selection, events: Selected[]): StreamEnd {
  events.length = 0;
  let isDone = false;
  for (const event of splitEvents(isEscaped ? decodeInside(text) : text)) {
    if (event.trim() === doneMark) {
      isDone = true;
      continue;
    }
    if (!event.trimStart().startsWith('{')) continue;
    const value = selectJson(event, selection, { isEscaped: false });
    if (value === undefined) return { isDone: false, isDamaged: true };
    events.push(value);
  }
  return { isDone, isDamaged: false };
}

function* splitEvents(text: string): Generator<string> {
  let lines: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith(data)) lines.push(line.slice(data.length));
    if (line !== '' || lines.length === 0) continue;
    yield lines.join('\n');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('\n');
}

/** What the inside of a JSON string says, whose characters are bytes. */
function decodeInside(text: string): string {
  return JSON.parse(`"${Buffer.from(text, 'latin1').toString()}"`) as string;
}
