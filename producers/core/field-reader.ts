import { executionLimits } from '../../shared/contracts/execution.ts';
import { findImplausibility, isPlausible, latestPlausible } from '../../shared/contracts/plausible-time.ts';
import type { Notes } from './notes.ts';
import { describeHuge, hugeChars, toStorableText, writeBigInt } from './storable-json.ts';
import { type TruncatedTrace, truncateTrace } from './truncate-trace.ts';
import { uuidV7 } from './uuid-v7.ts';

/** Reads scalar fields of any type as the type of their column, and notes every change. */
export class FieldReader {
  readonly #notes: Notes;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  text(name: string, value: unknown, maxChars: number = executionLimits.identifierChars): string | undefined {
    if (value === null || value === undefined) return undefined;
    let text: string;
    if (typeof value === 'string') {
      text = value;
    } else {
      text = toText(value);
      this.#notes.changed(name, `${kindOf(value)} stored as text`);
    }
    if (text.length > hugeChars) {
      this.#notes.changed(name, `${text.length} characters left out`);
      return describeHuge(text);
    }
    if (text.length > maxChars) {
      this.#notes.changed(name, `cut from ${text.length} to ${maxChars} characters`);
      text = text.slice(0, maxChars);
    }
    if (text.isWellFormed() && !text.includes('\0')) return text;
    this.#notes.changed(name, 'NUL or a lone surrogate replaced');
    return toStorableText(text);
  }

  decimal(name: string, value: unknown): number | undefined {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (value === null || value === undefined) return undefined;
    const converted = toNumber(value);
    if (Number.isFinite(converted)) {
      this.#notes.changed(name, `${kindOf(value)} stored as a number`);
      return converted;
    }
    this.#notes.changed(name, `${quote(value)} is no number that can be stored, left out`);
    return undefined;
  }

  integer(name: string, value: unknown, min: number): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= executionLimits.integer)
      return value;
    const number = this.decimal(name, value);
    if (number === undefined) return undefined;
    const bounded = Math.min(Math.max(Math.round(number), min), executionLimits.integer);
    if (bounded !== number) this.#notes.changed(name, `${number} stored as ${bounded}`);
    return bounded;
  }
}

/** No number in JSON needs more digits. */
const numberChars = 1_024;

function toNumber(value: unknown): number {
  if (typeof value === 'bigint') return Number(value);
  const isText = typeof value === 'string' && value.length <= numberChars && value.trim() !== '';
  return isText ? Number(value) : Number.NaN;
}

/** Versions 1 to 8 of RFC 9562. */
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export function isUuid(id: unknown): id is string {
  return typeof id === 'string' && id.length === uuidChars && uuidPattern.test(id);
}

/** Returns the caller's id if it is a UUID, and a new one otherwise. */
export function readId(id: unknown, nowMs: number, notes: Notes): string {
  if (isUuid(id)) return id;
  if (id !== undefined && id !== null) notes.changed('id', `${quote(id)} is no UUID, a new one was made`);
  return uuidV7(nowMs);
}

const uuidChars = 36;

const earliestMs = Date.UTC(1970, 0, 1);
const latestMs = Date.UTC(9999, 11, 31);

/** Returns the caller's time if it is valid, and the time of the call otherwise, as ISO 8601. */
export function readTime(time: unknown, nowMs: number, notes: Notes): string {
  if (time === undefined || time === null) return toIso(nowMs);
  const ms = toStorableMs(time);
  if (ms !== null) {
    noteImplausible('recordedAt', ms, nowMs, notes);
    return toIso(ms);
  }
  notes.changed('recordedAt', `${quote(time)} is no time, the time of the call is stored`);
  return toIso(nowMs);
}

/** Notes that the caller's time is implausible. It is stored all the same. */
export function noteImplausible(name: string, ms: number, nowMs: number, notes: Notes): void {
  if (isPlausible(ms, nowMs)) return;
  const implausibility = findImplausibility(toIso(ms), latestPlausible(nowMs));
  if (implausibility !== null) notes.changed(name, implausibility);
}

/** Converts a Date, ms since 1970 or text to ms since 1970. Null if it is none of them or not in the years 1970 to 9999. */
export function toStorableMs(time: unknown): number | null {
  const ms = toMs(time);
  return ms >= earliestMs && ms <= latestMs ? ms : null;
}

/** No time is written with more characters. */
const timeChars = 100;

function toMs(time: unknown): number {
  if (typeof time === 'number') return time;
  if (typeof time === 'string') return time.length <= timeChars ? Date.parse(time) : Number.NaN;
  try {
    return time instanceof Date ? time.getTime() : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

let lastIso = { ms: 0, text: '1970-01-01T00:00:00.000Z' };

/** Caches the last result: formatting a time costs as much as reading all fields, and under load many records share a millisecond. */
export function toIso(ms: number): string {
  if (lastIso.ms !== ms) lastIso = { ms, text: new Date(ms).toISOString() };
  return lastIso.text;
}

interface TraceBounds {
  traceLimit: number;
  maxBytes: number;
  /** entries before the caller has cut it. @default those that it has */
  traceLength?: number | null | undefined;
}

function longerOf(length: number | null, given: number | null | undefined): number | null {
  return length === null || given == null ? length : Math.max(length, given);
}

/** If the list cannot be read, as with some proxies, only the trace is lost and not the record. */
export function readTrace(
  trace: unknown,
  { traceLimit, maxBytes, traceLength }: TraceBounds,
  notes: Notes,
): TruncatedTrace {
  try {
    const cut = truncateTrace(toList(trace, notes), traceLimit, maxBytes);
    notes.add(cut.note);
    return { ...cut, originalLength: longerOf(cut.originalLength, traceLength) };
  } catch {
    notes.changed('trace', 'could not be read, left out');
    return { entries: null, originalLength: null, note: null };
  }
}

function toList(trace: unknown, notes: Notes): readonly unknown[] | null {
  if (trace === null || trace === undefined) return null;
  if (Array.isArray(trace)) return trace;
  notes.changed('trace', `${kindOf(trace)} stored as a list of one`);
  return [trace];
}

/** How many items of a list are written as text, and what stands for the others. */
const textItems = 100;

function toText(value: unknown): string {
  try {
    if (typeof value === 'bigint') return writeBigInt(value);
    // String() would write the whole list and all lists in it.
    if (Array.isArray(value) && (value.length > textItems || value.some((item) => typeof item === 'object')))
      return `[${kindOf(value)}]`;
    return String(value);
  } catch {
    return `[${kindOf(value)}]`;
  }
}

/** Names the type of a value in a note. */
export function kindOf(value: unknown): string {
  try {
    return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  } catch {
    return typeof value;
  }
}

/** Quotes a value in a note, shortened. */
export function quote(value: unknown): string {
  const text = toText(value);
  return toStorableText(JSON.stringify((text.length > hugeChars ? describeHuge(text) : text).slice(0, 60)));
}
