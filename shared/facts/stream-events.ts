import type { EventForms } from './event-forms.ts';
import { EventReader } from './event-reader.ts';
import { notSelectable, type Selected, selectJson } from './select-json.ts';

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
const [data, name] = ['data:', 'event:'];
const doneMark = '[DONE]';

/** The JSON objects of a stream, and how it ended. */
export interface StreamEvents extends StreamEnd {
  events: readonly Selected[];
}

/** Never throws. @param forms of events in streams before, to which those of this one are added */
export function readEvents(text: string, forms: EventForms): StreamEvents {
  return readLines(text, forms) ?? readSplitEvents(text, forms);
}

/** Reads events of which each is in one line, as all providers write them. Null: only a split of the lines can tell. */
function readLines(text: string, forms: EventForms): StreamEvents | null {
  const { isEscaped } = forms;
  const reader = new EventReader(text, forms);
  let isDone = false;
  // Where an event begins: at its name, which tells its form.
  let start = 0;
  let at = 0;
  try {
    while (at < text.length) {
      let end = at === start ? reader.match(at) : -1;
      if (end === -1) {
        const isData = text.startsWith(data, at);
        const isName = !isData && text.startsWith(name, at);
        if (isData) at = behindSpaces(text, at + data.length);
        if (!isData || text.charCodeAt(at) !== openBrace) {
          isDone ||= isData && text.startsWith(doneMark, at);
          at = nextLine(text, at, isEscaped);
          if (!isName) start = at;
          continue;
        }
        end = reader.read(start, at);
      }
      at = behindLineEnds(text, end, isEscaped);
      if (at === -1) return null;
      start = at;
    }
  } catch (error) {
    if (error === notSelectable || error instanceof SyntaxError) return null;
    throw error;
  }
  return { events: reader.events, isDone, isDamaged: false };
}

function behindSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === space) at += 1;
  return at;
}

/** Where the next line with something in it begins. -1: there is something else in this one, after spaces. */
function behindLineEnds(text: string, from: number, isEscaped: boolean): number {
  const end = behindSpaces(text, from);
  let at = end;
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
function readSplitEvents(text: string, { isEscaped, selection }: EventForms): StreamEvents {
  const events: Selected[] = [];
  let isDone = false;
  for (const event of splitEvents(isEscaped ? decodeInside(text) : text)) {
    if (event.trim() === doneMark) {
      isDone = true;
      continue;
    }
    if (!event.trimStart().startsWith('{')) continue;
    const value = selectJson(event, selection, { isEscaped: false });
    if (value === undefined) return { events, isDone: false, isDamaged: true };
    events.push(value);
  }
  return { events, isDone, isDamaged: false };
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
