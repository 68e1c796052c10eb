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
  if (parsed !== null) return write(redactor.value(parsed.value, state, bounds));
  return redactJsonLines(text, state, redactor) ?? redactOther(text, state, redactor);
}

/** Null: not each of its lines is JSON. */
function redactJsonLines(text: string, state: State, redactor: ValueRedactor): string | null {
  const lines: { value: unknown }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const parsed = parse(line);
    if (parsed === null) return null;
    lines.push(parsed);
  }
  const copies = lines.map(({ value }) => ({ value: redactor.value(value, state, bounds) }));
  redactPieces(copies, state, redactor);
  return copies.map(({ value }) => `${write(value)}\n`).join('');
}

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

/** What is no JSON may hold what a path means, and what is found in texts may be written with escapes. */
function redactOther(text: string, state: State, redactor: ValueRedactor): string {
  return isForTextsOnly(state) && !text.includes('\\u') && text.length <= searchedChars
    ? redactor.text(text, state.finders)
    : replaced(redactor);
}

/** Whether nothing but the texts matter: a path would lead on to somewhere else. */
function isForTextsOnly({ finders, ruleCount }: State): boolean {
  return ruleCount === finders.length;
}

const eventField = /^(?:data|event|id|retry)?:|^(?:data|event|id|retry)$/;

function isEventStream(text: string): boolean {
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
  const values: { value: unknown; line: number }[] = [];
  for (const { lines: at, text } of data) {
    const [first, ...others] = at as [number, ...number[]];
    for (const other of others) lines[other] = ':';
    if (isUnchanged(text)) continue;
    const parsed = parse(text);
    if (parsed !== null) values.push({ value: redactor.value(parsed.value, state, bounds), line: first });
    else lines[first] = `data: ${redactOther(text, state, redactor).replace(/[\r\n]+/g, ' ')}`;
  }
  redactPieces(values, state, redactor);
  for (const { value, line } of values) lines[line] = `data: ${write(value) || 'null'}`;
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
  if (!isForTextsOnly(state) || line.includes('\\u')) return ':';
  return redactor.text(line, state.finders);
}

/** A text of an event, and where it is. */
interface Piece {
  holder: Record<string, unknown> | unknown[];
  key: string | number;
  text: string;
}

/**
 * Texts that come in pieces, as answers do: what is found in the pieces of one place together is taken out of each of them. The
 * values are copies of our own.
 */
function redactPieces(values: readonly { value: unknown }[], state: State, redactor: ValueRedactor): void {
  const piecesAt = new Map<string, { state: State; pieces: Piece[] }>();
  const visit = (value: unknown, at: State, path: string): void => {
    if (typeof value !== 'object' || value === null || !at.isLive) return;
    // Answers that come at the same time are told apart by their index.
    const { index } = value as { index?: unknown };
    const place = typeof index === 'number' ? `${path}#${index}` : path;
    for (const [key, item] of Object.entries(value)) {
      const next = at.step(key);
      const itsPath = `${place}/${key}`;
      if (typeof item === 'string' && next.finders.length > 0) {
        const known = piecesAt.get(itsPath) ?? { state: next, pieces: [] };
        piecesAt.set(itsPath, known);
        known.pieces.push({ holder: value as Piece['holder'], key, text: item });
      } else visit(item, next, itsPath);
    }
  };
  for (const { value } of values) visit(value, state, '');
  for (const { state: at, pieces } of piecesAt.values()) if (pieces.length > 1) redactTogether(pieces, at, redactor);
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
