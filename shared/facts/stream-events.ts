import { EventTemplate } from './event-template.ts';
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

const [newline, carriageReturn, space, backslash, openBrace] = [0x0a, 0x0d, 0x20, 0x5c, 0x7b];
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
  let template: EventTemplate | null = null;
  let isDone = false;
  // Behind the event before it, so that an event's template has its name, too.
  let start = 0;
  let at = 0;
  try {
    while (at < text.length) {
      if (at === start && template?.matches(selector, at)) {
        events.push(template.event);
      } else if (!text.startsWith(data, at)) {
        at = nextLine(text, at, isEscaped);
        continue;
      } else {
        at += data.length;
        while (text.charCodeAt(at) === space) at += 1;
        if (text.charCodeAt(at) !== openBrace) {
          isDone ||= text.startsWith(doneMark, at);
          at = nextLine(text, at, isEscaped);
          continue;
        }
        selector.at = at;
        selector.skipped = [];
        const event = selector.read(selection);
        events.push(event);
        template = new EventTemplate(event, text, { from: start, until: selector.at }, selector.skipped);
        selector.skipped = null;
      }
      at = behindLineEnds(text, selector.at, isEscaped);
      if (at === -1) return null;
      start = at;
    }
  } catch (error) {
    if (error === notSelectable || error instanceof SyntaxError) return null;
    throw error;
  }
  return { isDone, isDamaged: false };
}

/** Where the next line with something in it begins. -1: there is something else in this one, after spaces. */
function behindLineEnds(text: string, from: number, isEscaped: boolean): number {
  let at = from;
  while (text.charCodeAt(at) === space) at += 1;
  const end = at;
  const [first, last, step] = isEscaped ? [letterN, letterR, 2] : [newline, carriageReturn, 1];
  for (; at < text.length; at += step) {
    if (isEscaped && text.charCodeAt(at) !== backslash) break;
    const code = text.charCodeAt(at + step - 1);
    if (code !== first && code !== last) break;
  }
  return at === end && at < text.length ? -1 : at;
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
