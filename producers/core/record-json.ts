import { wideSeparator } from '../../shared/contracts/canonical-text.ts';
import { executionLimits } from '../../shared/contracts/execution.ts';
import type { ExecutionRecord } from '../../shared/contracts/execution-schema.ts';
import { createKeyLists } from './key-lists.ts';
import type { Notes } from './notes.ts';
import { convertToStorableJson, hasUnstorableEscapes } from './storable-json.ts';
import { truncateTrace } from './truncate-trace.ts';

/** A record as it is sent. */
export interface SerializedRecord {
  json: string;
  /** of the JSON in UTF-8 */
  bytes: number;
}

/** How much of the free-form parts a step keeps. */
interface Cut {
  stringChars: number;
  /** 0: no limit of its own */
  traceEntries: number;
  nodes: number;
  keepInput: boolean;
}

/** Each step cuts more. The result of the last step fits into 16 KiB, since the other fields are bounded. */
const cuts: readonly Cut[] = [
  { stringChars: Number.POSITIVE_INFINITY, traceEntries: 0, nodes: 50_000, keepInput: true },
  { stringChars: 1_024, traceEntries: 0, nodes: 5_000, keepInput: true },
  { stringChars: 256, traceEntries: 0, nodes: 5_000, keepInput: true },
  { stringChars: 256, traceEntries: 40, nodes: 500, keepInput: true },
  { stringChars: 64, traceEntries: 10, nodes: 100, keepInput: false },
];

/** Parts estimated at more than so many times the bound cannot fit uncut and are not even copied. */
export const hopelessRatio = 4;

/** The fields of a record other than its free-form parts, in their order in the text. */
export type ExecutionDraft = Omit<ExecutionRecord, 'trace' | 'input'>;

/** Serialises a record whose free-form parts are plain JSON, as they nearly always are, by native calls alone. */
export function writePlainRecord(
  draft: ExecutionDraft,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  maxBytes: number,
): SerializedRecord {
  // Filled in place: copying the fields into another object costs up to a tenth of the whole call.
  draft.notes = notes.toText(executionLimits.notesChars);
  const record = stringify(draft, trace ?? undefined, input);
  const isFine = record !== null && record.bytes <= maxBytes && !hasUnstorableEscapes(record.json);
  return isFine ? record : writeRecord(draft, trace, input, notes, maxBytes);
}

/** Serialises any record: makes its free-form parts storable and cuts them in steps until the record fits. */
export function writeRecord(
  draft: ExecutionDraft,
  trace: unknown[] | null,
  input: unknown,
  notes: Notes,
  maxBytes: number,
  listKeys = createKeyLists(),
): SerializedRecord {
  let last: { cut: Cut; parts: FreeFormParts } | null = null;
  for (const cut of cuts) {
    // Skip a step that would cut nothing of what was too large.
    if (last !== null && isSame(last.parts, last.cut, cut)) continue;
    const cutNotes = notes.copy();
    const parts = convertParts(trace, input, cut, maxBytes, cutNotes, listKeys);
    last = { cut, parts };
    if (parts.isOver) continue;
    const { trace: storableTrace, input: storableInput } = parts;
    const fields = { ...draft, notes: cutNotes.toText(executionLimits.notesChars) };
    const record = stringify(fields, storableTrace, storableInput);
    if (record !== null && record.bytes <= maxBytes) return record;
  }
  notes.add(`trace and input left out: the record is larger than ${maxBytes} bytes`);
  return toSerialized(writeCanonical({ ...draft, notes: notes.toText(executionLimits.notesChars) }, {}));
}

interface FreeFormParts {
  trace: unknown;
  input: unknown;
  /** they were larger than the record may be and are incomplete */
  isOver: boolean;
  /** values in both parts */
  nodes: number;
  longestString: number;
}

/** Stops as soon as both parts together are larger than the whole record may be. */
function convertParts(
  trace: unknown[] | null,
  input: unknown,
  cut: Cut,
  maxBytes: number,
  notes: Notes,
  listKeys: ReturnType<typeof createKeyLists>,
): FreeFormParts {
  const bounds = {
    depth: executionLimits.depth,
    nodes: cut.nodes,
    stringChars: Math.min(cut.stringChars, maxBytes),
  };
  // Not more than there is room for; otherwise the tail of the trace would be cut off with the rest.
  const room = Math.min(cut.nodes - 1, Math.floor(maxBytes / 2));
  const kept = truncateTrace(trace, cut.traceEntries || room);
  notes.add(kept.note);
  const parts: FreeFormParts = { trace: undefined, input: undefined, isOver: false, nodes: 0, longestString: 0 };
  let chars = maxBytes;
  const convertPart = (part: unknown, path: string): unknown => {
    const converted = convertToStorableJson(part, { ...bounds, chars }, notes.changed, path, listKeys);
    chars -= converted.chars;
    parts.isOver ||= converted.isOver;
    parts.nodes = Math.max(parts.nodes, converted.nodes);
    parts.longestString = Math.max(parts.longestString, converted.longestString);
    return converted.value;
  };
  if (kept.entries !== null) parts.trace = convertPart(kept.entries, 'trace');
  if (cut.keepInput && !parts.isOver) parts.input = convertPart(input, 'input');
  if (!cut.keepInput && input !== undefined) notes.add(`input left out: the record is larger than ${maxBytes} bytes`);
  return parts;
}

/** Whether a step would produce the same as the last one, as far as that one got. */
function isSame(parts: FreeFormParts, last: Cut, next: Cut): boolean {
  return (
    next.traceEntries === last.traceEntries &&
    next.keepInput === last.keepInput &&
    parts.longestString <= next.stringChars &&
    parts.nodes <= next.nodes
  );
}

/** Null if the text would be longer than a string can be. */
function stringify(narrow: ExecutionDraft, trace: unknown, input: unknown): SerializedRecord | null {
  try {
    return toSerialized(writeCanonical(narrow, { trace, input }));
  } catch {
    return null;
  }
}

export function toSerialized(json: string): SerializedRecord {
  return { json, bytes: Buffer.byteLength(json) };
}

/**
 * The canonical text of a record.
 *
 * @param narrow at least one field that has a value
 * @throws RangeError when it is longer than a string can be
 */
export function writeCanonical(narrow: object, wide: Record<string, unknown>): string {
  let json = JSON.stringify(narrow).slice(0, -1);
  for (const name in wide) {
    const value = JSON.stringify(wide[name]);
    if (value !== undefined) json += `${wideSeparator}"${name}":${value}`;
  }
  return `${json}}`;
}
