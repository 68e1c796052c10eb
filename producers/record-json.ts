import { type ExecutionRecord, executionLimits } from '../shared/contracts/execution.ts';
import type { Notes } from './notes.ts';
import { hasUnstorableEscapes, isPlainJson, type JsonBounds, toStorableJson } from './storable-json.ts';
import { truncateTrace } from './truncate-trace.ts';

/** A record as it will travel. */
export interface SerializedRecord {
  json: string;
  /** of the JSON in UTF-8 */
  bytes: number;
}

/** Each step gives up more of the free-form parts. What is left at last fits into 16 KiB: the other fields are bounded. */
const cuts: { stringChars: number; traceEntries: number; nodes: number; keepInput: boolean }[] = [
  { stringChars: Number.POSITIVE_INFINITY, traceEntries: 0, nodes: 50_000, keepInput: true },
  { stringChars: 1_024, traceEntries: 0, nodes: 5_000, keepInput: true },
  { stringChars: 256, traceEntries: 0, nodes: 5_000, keepInput: true },
  { stringChars: 256, traceEntries: 40, nodes: 500, keepInput: true },
  { stringChars: 64, traceEntries: 10, nodes: 100, keepInput: false },
];

/**
 * Writes a record: the draft's fields, and the free-form parts as they are or, where PostgreSQL would refuse them or the
 * record would be too large, made storable and cut.
 */
export function writeRecord(
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
