import type { State } from './redact-machine.ts';
import { searchedChars } from './redact-text.ts';
import { masked, type ValueRedactor } from './redact-value.ts';

/** What a body is read by. */
export interface BodyRules {
  state: State;
  /** bytes; a longer body would be stored without its end, and is not read but replaced */
  maxBytes: number;
}

/**
 * Applies rules to a body of JSON, of server-sent events whose data is JSON, or of text. What rules concern and what cannot be
 * read is replaced as a whole. Never throws.
 */
export function redactBody(
  body: string | Uint8Array,
  { state, maxBytes }: BodyRules,
  redactor: ValueRedactor,
): string | Uint8Array {
  if (!state.isLive || body.length === 0) return body;
  try {
    const text = state.action === null || state.action.do === 'hash' ? readText(body, maxBytes) : '';
    if (text === null) return replaced(redactor);
    // No mask has a NUL.
    if (state.action !== null) return String(redactor.value(text || '\0', state, bounds) ?? '');
    return isEventStream(text) ? redactEvents(text, state, redactor) : redactText(text, state, redactor);
  } catch {
    return replaced(redactor);
  }
}

/** All of a body that is within its limit. */
const bounds = { nodes: Number.POSITIVE_INFINITY, chars: Number.POSITIVE_INFINITY };

function replaced(redactor: ValueRedactor): string {
  redactor.count += 1;
  return masked;
}

/** Null: too long, or no UTF-8. */
function readText(body: string | Uint8Array, maxBytes: number): string | null {
  if (body.length > maxBytes) return null;
  if (typeof body === 'string') return Buffer.byteLength(body) > maxBytes ? null : body;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
}

function redactText(text: string, state: State, redactor: ValueRedactor): string {
  const parsed = parse(text);
  if (parsed === null) return redactJsonLines(text, state, redactor) ?? redactOther(text, state, redactor);
  const copy = redactor.value(parsed.value, state, bounds);
  // Some servers stream a list, an item of it at a time.
  if (Array.isArray(copy))
    redactPieces(
      copy.flatMap((value, at) => (isContainer(value) ? { value, state: state.step(String(at)) } : [])),
      redactor,
    );
  return write(copy);
}

/**
 * Where rules are for texts only, some of the lines may be something else: the last is cut when the connection ended.
 *
 * @returns null where the text has no lines of JSON
 */
function redactJsonLines(text: string, state: State, redactor: ValueRedactor): string | null {
  const parts: { source: string; parsed: { value: unknown } | null }[] = [];
  for (const source of text.split('\n')) {
    if (source.trim() === '') continue;
    const parsed = parse(source);
    const isFirst = parts.length === 0;
    if (parsed === null && (isFirst || !isForTextsOnly(state))) return null;
    parts.push({ source, parsed });
  }
  if (parts.some(({ parsed }) => parsed === null) && !isContainer(parts[0]?.parsed?.value)) return null;
  const lines = parts.map((part) => redactData(part.source, part.parsed, state, redactor));
  redactPieces(lines, redactor);
  return lines.map((line) => `${writeData(line)}\n`).join('');
}

/** The data of an event or a line, redacted: a value of JSON, or text. */
interface Data {
  value: unknown;
  isText: boolean;
  state: State;
}

function redactData(source: string, parsed: { value: unknown } | null, state: State, redactor: ValueRedactor): Data {
  // A token of a text may be a number, and its digits go on in the next one.
  const isText =
    parsed === null || (!isContainer(parsed.value) && typeof parsed.value !== 'string' && isForTextsOnly(state));
  if (!isText) return { value: redactor.value(parsed?.value, state, bounds), isText, state };
  return {
    value: isCutJson(source, parsed) ? replaced(redactor) : redactOther(source, state, redactor),
    isText,
    state,
  };
}

/** Its texts are pieces of which nobody knows the place. */
const isCutJson = (source: string, parsed: object | null): boolean => parsed === null && /^\s*[[{"]/.test(source);

const writeData = ({ value, isText }: Data): string => (isText ? String(value).replace(/[\r\n]+/g, ' ') : write(value));

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

function write(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

function parse(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text) };
  } catch {
    return null;
  }
}

/** What is no JSON may hold what a path means. */
function redactOther(text: string, state: State, redactor: ValueRedactor): string {
  return isForTextsOnly(state) && isSearchable(text) ? redactor.text(text, state.finders) : replaced(redactor);
}

/** What is found in texts may be written with escapes, or in UTF-16, which has a NUL beside each letter. */
const isSearchable = (text: string): boolean =>
  text.length <= searchedChars && !text.includes('\\u') && !text.includes('\0');

/** Whether nothing but the texts matter: a path would lead on to somewhere else. */
function isForTextsOnly({ finders, ruleCount }: State): boolean {
  return ruleCount === finders.length;
}

const eventField = /^(?:data|event|id|retry)?:|^(?:data|event|id|retry)$/;
const dataOfJson = /[\r\n]data: ?[[{"]/;

/** By its first line, or by an event further on. No JSON has a line that begins so. */
function isEventStream(text: string): boolean {
  if (dataOfJson.test(text)) return true;
  const start = text.startsWith('\ufeff') ? 1 : 0;
  const first = /[^\r\n]/.exec(text.slice(start))?.index ?? 0;
  return eventField.test(text.slice(start + first, start + first + 20).split(/[\r\n]/, 1)[0] ?? '');
}

/** The data of one event, in its lines. */
interface EventData {
  /** where its lines are among all; the data is written to the first */
  lines: number[];
  text: string;
}

function redactEvents(body: string, state: State, redactor: ValueRedactor): string {
  const lines = body.split(/\r\n|\n|\r/);
  const data = readData(lines);
  const all: (Data & { line: number })[] = [];
  for (const { lines: at, text } of data) {
    const [first, ...others] = at as [number, ...number[]];
    for (const other of others) lines[other] = ':';
    if (!isUnchanged(text)) all.push({ ...redactData(text, parse(text), state, redactor), line: first });
  }
  redactPieces(all, redactor);
  for (const one of all) lines[one.line] = `data: ${writeData(one) || (one.isText ? '' : 'null')}`;
  return lines.map((line) => redactLine(line, state, redactor)).join('\n');
}

/** The end of a stream, and events without data. */
const isUnchanged = (data: string): boolean => data === '[DONE]' || data.trim() === '';

const dataField = /^\ufeff?data(?:: ?|$)/;

function readData(lines: readonly string[]): EventData[] {
  const all: EventData[] = [];
  let event: EventData[] = [];
  const end = (): void => {
    // Mostly an event has one line, and some servers leave out the empty one behind it.
    const areApart = event.every(({ text }) => isUnchanged(text) || parse(text) !== null);
    if (areApart) all.push(...event);
    else all.push({ lines: event.flatMap((line) => line.lines), text: event.map(({ text }) => text).join('\n') });
    event = [];
  };
  for (const [at, line] of lines.entries()) {
    const found = dataField.exec(line);
    if (found !== null) event.push({ lines: [at], text: line.slice(found[0].length) });
    else if (line === '') end();
  }
  end();
  return all;
}

const shortField = /^(?:event|id|retry): ?[\w.:-]{0,200}$/;

/** Of what is no data, only names and numbers stay where paths matter: comments may hold anything. */
function redactLine(line: string, state: State, redactor: ValueRedactor): string {
  // The data is done already.
  if (line === '' || line === ':' || dataField.test(line)) return line;
  if (shortField.test(line)) return redactor.text(line, state.finders);
  if (!isForTextsOnly(state) || !isSearchable(line)) return ':';
  return redactor.text(line, state.finders);
}

/** A text of an event, and where it is. */
interface Piece {
  holder: Record<string, unknown> | unknown[];
  key: string | number;
  text: string;
}

/** Answers that come at the same time are told apart by these. */
const indexes = ['index', 'output_index', 'content_index'] as const;

/**
 * Texts that come in pieces, as answers do: what is found in the pieces of one place together is taken out of each of them.
 *
 * @param all copies of our own, changed in place
 */
function redactPieces(all: readonly { value: unknown; state: State }[], redactor: ValueRedactor): void {
  const piecesAt = new Map<string, { state: State; pieces: Piece[] }>();
  const visit = (holder: Piece['holder'], key: string | number, at: State, path: string): void => {
    const value = (holder as Record<string | number, unknown>)[key];
    if (!at.isLive) return;
    if (typeof value === 'string') {
      if (at.finders.length === 0) return;
      const known = piecesAt.get(path) ?? { state: at, pieces: [] };
      piecesAt.set(path, known);
      known.pieces.push({ holder, key, text: value });
    } else if (isContainer(value)) {
      const told = indexes.flatMap((name) => {
        const index = (value as Record<string, unknown>)[name];
        return typeof index === 'number' ? `${name}${index}` : [];
      });
      const place = told.length === 0 ? path : `${path}#${told}`;
      for (const name of Object.keys(value)) visit(value as Piece['holder'], name, at.step(name), `${place}/${name}`);
    }
  };
  for (const one of all) visit(one as unknown as Piece['holder'], 'value', one.state, '');
  for (const { state, pieces } of piecesAt.values()) if (pieces.length > 1) redactTogether(pieces, state, redactor);
}

function redactTogether(pieces: readonly Piece[], { finders }: State, redactor: ValueRedactor): void {
  for (const finder of finders) {
    const whole = pieces.map(({ text }) => text).join('');
    const found = finder.find(whole);
    if (found.length === 0) continue;
    let pieceStart = 0;
    let next = 0;
    for (const piece of pieces) {
      const { text } = piece;
      const pieceEnd = pieceStart + text.length;
      let copy = '';
      let from = pieceStart;
      for (; next < found.length; next += 1) {
        const { start, end } = found[next] as { start: number; end: number };
        if (start >= pieceEnd) break;
        if (start >= pieceStart) {
          const part = whole.slice(start, end);
          const result = redactor.text(part, [finder]);
          copy += whole.slice(from, start) + (result === part ? masked : result);
        }
        from = Math.min(end, pieceEnd);
        if (end > pieceEnd) break;
      }
      piece.text = copy + whole.slice(from, pieceEnd);
      (piece.holder as Record<string | number, unknown>)[piece.key] = piece.text;
      pieceStart = pieceEnd;
    }
  }
}
