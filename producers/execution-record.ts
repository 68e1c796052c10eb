import {
  type ExecutionRecord,
  type ExecutionStatus,
  executionLimits,
  executionStatuses,
} from '../shared/contracts/execution.ts';
import type { Execution } from './execution.ts';
import { Notes } from './notes.ts';
import {
  copyPlainJson,
  hasUnstorableEscapes,
  isPlainJson,
  type JsonBounds,
  toStorableJson,
  toStorableText,
} from './storable-json.ts';
import { type TruncatedTrace, truncateTrace } from './truncate-trace.ts';
import { uuidV7 } from './uuid-v7.ts';

/** A record as it will travel, taken at the moment of the call: later changes by the caller do not reach it. */
export interface SerializedRecord {
  json: string;
  /** of the JSON in UTF-8 */
  bytes: number;
}

/** A record taken at the moment of the call. Its JSON may be written later, always from what was taken then. */
export interface TakenRecord {
  readonly json: string;
  /** of the JSON in UTF-8; where it is still to be written, about so many, by its characters */
  readonly bytes: number;
}

/** What is decided outside of the record. */
export interface RecordContext {
  nowMs: number;
  /** the rate in force, for runs that were sampled; failures always stand for themselves */
  sampleRate: number;
  /** entries of the trace to keep; 0 or less keeps all */
  traceLimit: number;
  /** bytes of JSON; a larger record is cut until it fits */
  maxBytes: number;
}

const statuses = new Set<string>(executionStatuses);

/** The status as stored: what is none of the known ones is a failure. */
export function toStatus(status: unknown): ExecutionStatus {
  return typeof status === 'string' && statuses.has(status) ? (status as ExecutionStatus) : 'error';
}

/**
 * Turns an execution into the JSON that is stored. Whatever the caller passes, the result is storable: values of a wrong
 * kind are converted or left out, long ones are cut, and `notes` says so. No user data can erase its own record.
 */
export function takeExecutionRecord(execution: Execution, context: RecordContext): TakenRecord {
  const notes = new Notes();
  const read = new FieldReader(notes);
  const status = toStatus(execution.status);
  if (status !== execution.status) notes.add(`status ${quote(execution.status)} is not known, stored as error`);
  const sampled = status === 'ok';
  const trace = readTrace(execution.trace, context.traceLimit, notes);

  const draft: ExecutionRecord = {
    id: readId(execution.id, context.nowMs, notes),
    recordedAt: readTime(execution.recordedAt, context.nowMs, notes),
    strategyId: read.text('strategyId', execution.strategyId) ?? 'unknown',
    strategyVersion: read.integer('strategyVersion', execution.strategyVersion, -executionLimits.integer) ?? 0,
    strategyType: read.text('strategyType', execution.strategyType) ?? 'unknown',
    realmId: read.text('realmId', execution.realmId),
    externalGameId: read.text('externalGameId', execution.externalGameId),
    externalTaskId: read.text('externalTaskId', execution.externalTaskId),
    externalUserId: read.text('externalUserId', execution.externalUserId),
    status,
    errorCode: read.text('errorCode', execution.errorCode),
    errorMessage: read.text('errorMessage', execution.errorMessage, executionLimits.messageChars),
    failedNodeId: read.text('failedNodeId', execution.failedNodeId),
    points: read.decimal('points', execution.points),
    caseName: read.text('caseName', execution.caseName),
    durationMs: read.decimal('durationMs', execution.durationMs) ?? 0,
    nodesExecuted: read.integer('nodesExecuted', execution.nodesExecuted, 0) ?? 0,
    traceLength: trace.originalLength ?? undefined,
    sampled,
    sampleRate: sampled ? context.sampleRate : 1,
    parentStrategyId: read.text('parentStrategyId', execution.parentStrategyId),
    astHash: read.text('astHash', execution.astHash),
    attempt: read.integer('attempt', execution.attempt, 1) ?? 1,
    trace: undefined,
    input: undefined,
    notes: undefined,
  };
  return take(draft, trace.entries, execution.input, notes, context.maxBytes);
}

/** Takes the record and writes it at once. */
export function toExecutionRecord(execution: Execution, context: RecordContext): SerializedRecord {
  const { json } = takeExecutionRecord(execution, context);
  return { json, bytes: Buffer.byteLength(json) };
}

/** What the fields other than trace and input take, about. */
const draftChars = 600;

/**
 * Copies the free-form parts and leaves the writing for later, when they are plain; what is not plain cannot be copied
 * faithfully in any other way than by writing it.
 */
function take(
  draft: ExecutionRecord,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  maxBytes: number,
): TakenRecord {
  const bounds: JsonBounds = { depth: executionLimits.depth, nodes: 20_000, stringChars: maxBytes };
  const [traceCopy, inputCopy] = tryToCopy(trace, input, bounds);
  if (traceCopy === null || inputCopy === null) {
    const { json, bytes } = serialize(draft, trace, input, notes, maxBytes);
    return { json, bytes };
  }
  const bytes = Math.min(draftChars + traceCopy.chars + inputCopy.chars, maxBytes);
  return new UnwrittenRecord(
    bytes,
    () => serialize(draft, traceCopy.copy as unknown[] | null, inputCopy.copy, notes, maxBytes).json,
  );
}

type PlainCopy = ReturnType<typeof copyPlainJson>;

function tryToCopy(trace: unknown[] | null, input: unknown, bounds: JsonBounds): [PlainCopy, PlainCopy] {
  try {
    return [copyPlainJson(trace, bounds), copyPlainJson(input, bounds)];
  } catch {
    return [null, null];
  }
}

/** Writes its JSON when it is first asked for it. */
class UnwrittenRecord implements TakenRecord {
  readonly bytes: number;
  #write: (() => string) | null;
  #json = '';

  constructor(bytes: number, write: () => string) {
    this.bytes = bytes;
    this.#write = write;
  }

  get json(): string {
    if (this.#write !== null) {
      this.#json = this.#write();
      this.#write = null;
    }
    return this.#json;
  }
}

/** Each step gives up more of the free-form parts. What is left at last fits into 16 KiB: the other fields are bounded. */
const cuts: { stringChars: number; traceEntries: number; nodes: number; keepInput: boolean }[] = [
  { stringChars: Number.POSITIVE_INFINITY, traceEntries: 0, nodes: 50_000, keepInput: true },
  { stringChars: 1_024, traceEntries: 0, nodes: 5_000, keepInput: true },
  { stringChars: 256, traceEntries: 0, nodes: 5_000, keepInput: true },
  { stringChars: 256, traceEntries: 40, nodes: 500, keepInput: true },
  { stringChars: 64, traceEntries: 10, nodes: 100, keepInput: false },
];

function serialize(
  draft: ExecutionRecord,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  maxBytes: number,
): SerializedRecord {
  const plain: JsonBounds = { depth: executionLimits.depth, nodes: 20_000, stringChars: maxBytes };
  const direct = tryDirectly(draft, trace, input, notes, plain);
  if (direct !== null && direct.bytes <= maxBytes) return direct;

  for (const cut of cuts) {
    const cutNotes = notes.copy();
    const bounds: JsonBounds = {
      depth: executionLimits.depth,
      nodes: cut.nodes,
      stringChars: Math.min(cut.stringChars, maxBytes),
    };
    const kept = truncateTrace(trace, cut.traceEntries);
    cutNotes.add(kept.note);
    const storable = {
      trace: kept.entries === null ? undefined : toStorableJson(kept.entries, bounds, cutNotes.changed, 'trace'),
      input: cut.keepInput ? toStorableJson(input, bounds, cutNotes.changed, 'input') : undefined,
    };
    if (!cut.keepInput && input !== undefined)
      cutNotes.add(`input left out: the record is larger than ${maxBytes} bytes`);
    const record = stringify({ ...draft, ...storable, notes: cutNotes.toText(executionLimits.notesChars) });
    if (record.bytes <= maxBytes) return record;
  }
  notes.add(`trace and input left out: the record is larger than ${maxBytes} bytes`);
  return stringify({ ...draft, trace: undefined, input: undefined, notes: notes.toText(executionLimits.notesChars) });
}

/** The common case: everything is plain JSON already, and one native call makes the text. Null when it is not. */
function tryDirectly(
  draft: ExecutionRecord,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  bounds: JsonBounds,
): SerializedRecord | null {
  try {
    if (!isPlainJson(trace, bounds) || !isPlainJson(input, bounds)) return null;
    // Filled in place: copying the fields into another object costs as much as a tenth of the whole call.
    draft.trace = trace ?? undefined;
    draft.input = input;
    draft.notes = notes.toText(executionLimits.notesChars);
    const record = stringify(draft);
    return hasUnstorableEscapes(record.json) ? null : record;
  } catch {
    return null;
  }
}

function stringify(record: object): SerializedRecord {
  const json = JSON.stringify(record);
  return { json, bytes: Buffer.byteLength(json) };
}

/** Reads scalar fields of any kind as the kind of their column, and notes every change. */
class FieldReader {
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
    const converted =
      typeof value === 'bigint' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN;
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

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

function readId(id: unknown, nowMs: number, notes: Notes): string {
  if (typeof id === 'string' && uuidPattern.test(id)) return id;
  if (id !== undefined && id !== null) notes.changed('id', `${quote(id)} is no UUID, a new one was made`);
  return uuidV7(nowMs);
}

const earliestMs = Date.UTC(1970, 0, 1);
const latestMs = Date.UTC(9999, 11, 31);

function readTime(time: unknown, nowMs: number, notes: Notes): string {
  if (time === undefined || time === null) return toIso(nowMs);
  const ms = toMs(time);
  if (ms >= earliestMs && ms <= latestMs) return toIso(ms);
  notes.changed('recordedAt', `${quote(time)} is no time, the time of the call is stored`);
  return toIso(nowMs);
}

function toMs(time: unknown): number {
  if (typeof time === 'number') return time;
  if (typeof time === 'string') return Date.parse(time);
  try {
    return time instanceof Date ? time.getTime() : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

let lastIso = { ms: 0, text: '1970-01-01T00:00:00.000Z' };

/** Formatting a time costs as much as reading all the fields; under load many records share a millisecond. */
function toIso(ms: number): string {
  if (lastIso.ms !== ms) lastIso = { ms, text: new Date(ms).toISOString() };
  return lastIso.text;
}

/** A list that cannot be read, such as a proxy, costs the trace, not the record. */
function readTrace(trace: unknown, limit: number, notes: Notes): TruncatedTrace {
  try {
    const cut = truncateTrace(toList(trace, notes), limit);
    notes.add(cut.note);
    return cut;
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

function toText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `[${kindOf(value)}]`;
  }
}

function kindOf(value: unknown): string {
  try {
    return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  } catch {
    return typeof value;
  }
}

function quote(value: unknown): string {
  return toStorableText(JSON.stringify(toText(value).slice(0, 60)));
}
