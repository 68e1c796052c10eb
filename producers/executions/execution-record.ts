import { type ExecutionStatus, executionLimits, executionStatuses } from '../../shared/contracts/execution.ts';
import type { SpanContext } from '../../shared/contracts/span-context.ts';
import { FieldReader, quote, readId, readTime, readTrace } from '../core/field-reader.ts';
import { createKeyLists, wideKeys } from '../core/key-lists.ts';
import type { CapturedRecord } from '../core/lazy-record.ts';
import { Notes } from '../core/notes.ts';
import {
  type ExecutionDraft,
  hopelessRatio,
  type SerializedRecord,
  writePlainRecord,
  writeRecord,
} from '../core/record-json.ts';
import { hasSpan, readSpanFields } from '../core/span-fields.ts';
import { copyPlainJson, isPlainObject, type JsonBounds } from '../core/storable-json.ts';
import type { Execution } from './execution.ts';

/** What is decided outside of the record. */
export interface RecordContext {
  nowMs: number;
  /** the rate in force, for runs that were sampled; failures always stand for themselves */
  sampleRate: number;
  /** entries of the trace to keep; 0 or less keeps all */
  traceLimit: number;
  /** bytes of JSON; a larger record is cut until it fits */
  maxBytes: number;
  /** the active one. @default none */
  span?: SpanContext | null | undefined;
  /** what the notes say in any case. @default nothing */
  notes?: readonly string[] | undefined;
  /** entries of the trace, where the caller has already cut it. @default those that it has */
  traceLength?: number | null | undefined;
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
export function captureExecutionRecord(execution: Execution, context: RecordContext): CapturedRecord {
  const notes = new Notes(context.notes);
  const read = new FieldReader(notes);
  const status = toStatus(execution.status);
  if (status !== execution.status) notes.add(`status ${quote(execution.status)} is not known, stored as error`);
  const sampled = status === 'ok';
  const trace = readTrace(execution.trace, context, notes);
  const { traceId, spanId } = readSpanFields(execution, context.span, notes);

  const draft: ExecutionDraft = {
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
    durationMs: readDuration(execution.durationMs, read, notes),
    nodesExecuted: read.integer('nodesExecuted', execution.nodesExecuted, 0) ?? 0,
    traceLength: trace.originalLength === null ? undefined : Math.min(trace.originalLength, executionLimits.integer),
    sampled,
    sampleRate: sampled ? context.sampleRate : 1,
    parentStrategyId: read.text('parentStrategyId', execution.parentStrategyId),
    astHash: read.text('astHash', execution.astHash),
    attempt: read.integer('attempt', execution.attempt, 1) ?? 1,
    notes: undefined,
    traceId,
    spanId,
  };
  return take(draft, trace.entries, execution.input, notes, context.maxBytes);
}

/** One below 0 comes of a clock that was set back meanwhile. */
function readDuration(durationMs: unknown, read: FieldReader, notes: Notes): number {
  const ms = read.decimal('durationMs', durationMs) ?? 0;
  if (ms < 0) notes.changed('durationMs', `${ms} is below 0`);
  return ms;
}

/** Takes the record and writes it at once. */
export function toExecutionRecord(execution: Execution, context: RecordContext): SerializedRecord {
  return captureExecutionRecord(execution, context).write();
}

/** What the fields other than trace and input take, about. */
const draftChars = 600;

/**
 * Copies the free-form parts and leaves the writing for later, when they are plain; what is not plain cannot be copied
 * faithfully in any other way than by writing it.
 */
function take(
  draft: ExecutionDraft,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  maxBytes: number,
): CapturedRecord {
  const isOfSpan = hasSpan(draft);
  const bounds: JsonBounds = {
    depth: executionLimits.depth,
    nodes: 20_000,
    stringChars: maxBytes,
    chars: maxBytes * hopelessRatio,
  };
  const listKeys = createKeyLists();
  const [traceCopy, inputCopy] = tryToCopy(trace, input, bounds, listKeys);
  if (traceCopy === null || inputCopy === null) {
    const written = writeRecord(draft, trace, input, notes, maxBytes, listKeys);
    return { bytes: written.bytes, hasSpan: isOfSpan, write: () => written };
  }
  const bytes = Math.min(draftChars + traceCopy.chars + inputCopy.chars, maxBytes);
  return {
    bytes,
    hasSpan: isOfSpan,
    write: () => writePlainRecord(draft, traceCopy.copy as unknown[] | null, inputCopy.copy, notes, maxBytes),
  };
}

type PlainCopy = ReturnType<typeof copyPlainJson>;

function tryToCopy(
  trace: unknown[] | null,
  input: unknown,
  bounds: JsonBounds,
  listKeys: ReturnType<typeof createKeyLists>,
): [PlainCopy, PlainCopy] {
  try {
    // What is widest, where anything is, is the input. Its list is made here and used again: to list a million keys takes longer
    // than all the rest.
    if (isPlainObject(input) && listKeys(input).total > wideKeys) return [null, null];
    return [copyPlainJson(trace, bounds), copyPlainJson(input, bounds)];
  } catch {
    return [null, null];
  }
}
