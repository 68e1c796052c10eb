import { type ExecutionRecord, executionLimits } from '../shared/contracts/execution.ts';
import type { Notes } from './notes.ts';
import { hasUnstorableEscapes, type JsonBounds, toStorableJson } from './storable-json.ts';
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

/** Parts estimated at so many times the bound cannot fit uncut, and writing them only to see that may take seconds. */
const hopeless = 4;

/**
 * Writes a record whose free-form parts are plain JSON, as it nearly always is: one native call makes the text.
 *
 * @param chars about how many characters the parts take
 */
export function writePlainRecord(
  draft: ExecutionRecord,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  maxBytes: number,
  chars: number,
): SerializedRecord {
  if (chars > maxBytes * hopeless) return writeRecord(draft, trace, input, notes, maxBytes, cuts.slice(1));
  // Filled in place: copying the fields into another object costs as much as a tenth of the whole call.
  draft.trace = trace ?? undefined;
  draft.input = input;
  draft.notes = notes.toText(executionLimits.notesChars);
  const record = stringify(draft);
  const isFine = record !== null && record.bytes <= maxBytes && !hasUnstorableEscapes(record.json);
  return isFine ? record : writeRecord(draft, trace, input, notes, maxBytes);
}

/** Writes a record whatever its free-form parts are: made storable, and cut in steps until it fits. */
export function writeRecord(
  draft: ExecutionRecord,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  maxBytes: number,
  steps = cuts,
): SerializedRecord {
  for (const cut of steps) {
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
    if (record !== null && record.bytes <= maxBytes) return record;
  }
  notes.add(`trace and input left out: the record is larger than ${maxBytes} bytes`);
  const fields = { ...draft, trace: undefined, input: undefined, notes: notes.toText(executionLimits.notesChars) };
  const json = JSON.stringify(fields);
  return { json, bytes: Buffer.byteLength(json) };
}

/** Null when the text would be longer than a string can be. */
function stringify(record: object): SerializedRecord | null {
  try {
    const json = JSON.stringify(record);
    return { json, bytes: Buffer.byteLength(json) };
  } catch {
    return null;
  }
}
