import { chunkVersions } from '../shared/contracts/chunk.ts';
import { readCompressedChunk } from '../shared/contracts/compressed-chunk.ts';
import { isOwner, ownersOf } from '../shared/contracts/erasure-subject.ts';
import { parseChunk } from '../shared/contracts/parse-chunk.ts';
import type { QueueName } from '../shared/contracts/queues.ts';
import { unwrapChunkAtOnce, wrapChunkAtOnce } from '../shared/platform/chunk-compression.ts';
import { findJsonElements, findJsonMembers } from '../shared/platform/json-members.ts';
import { jsonOrNull } from '../shared/platform/json-or-null.ts';
import { type ErasureScope, eraseFromRecord } from './erase-record.ts';

/** How many records were removed, and how many of other people were changed. */
export interface RecordCounts {
  erased: number;
  blanked: number;
}

/** What happens to a job's data, or to a chunk on disk. */
export type ChunkDisposition =
  | { kind: 'kept' }
  /** no record is left in it */
  | ({ kind: 'erased' } & RecordCounts)
  | ({ kind: 'changed'; data: string } & RecordCounts)
  /** from a newer producer, or damaged: its contents are unknown */
  | { kind: 'newer' };

/**
 * Removes a subject's records from a chunk. All other records keep their text, and so does the header, because a missing number
 * means a lost chunk. What was compressed is compressed again. Data that is not a chunk is deleted if it names the subject.
 */
export function eraseFromChunk(queue: QueueName, raw: string, scope: ErasureScope): ChunkDisposition {
  const compressed = readCompressedChunk(raw);
  const unwrapped = unwrapChunkAtOnce(raw);
  if (unwrapped.kind === 'damaged') return { kind: 'newer' };
  const disposition = eraseFromPlainChunk(queue, unwrapped.text, scope);
  if (compressed === null || disposition.kind !== 'changed') return disposition;
  const count = compressed.count - disposition.erased;
  return { ...disposition, data: wrapChunkAtOnce(disposition.data, count, compressed.requestId) };
}

function eraseFromPlainChunk(queue: QueueName, raw: string, scope: ErasureScope): ChunkDisposition {
  if (!mayConcern(raw, scope)) return { kind: 'kept' };
  const data = jsonOrNull(raw);
  const parsed = parseChunk(data);
  if (parsed.kind === 'newer') return parsed;
  const list = parsed.kind === 'chunk' ? recordList(raw) : null;
  if (list === null) return hasToGo(data, raw, scope) ? { kind: 'erased', erased: 1, blanked: 0 } : { kind: 'kept' };
  const counts: RecordCounts = { erased: 0, blanked: 0 };
  const left = list.texts.flatMap((text) => {
    const disposition = eraseFromRecord(queue, text, scope);
    if (disposition.kind === 'kept') return [text];
    counts[disposition.kind] += 1;
    return disposition.kind === 'erased' ? [] : [disposition.json];
  });
  if (counts.erased + counts.blanked === 0) return { kind: 'kept' };
  if (left.length === 0) return { kind: 'erased', ...counts };
  return { kind: 'changed', data: `${raw.slice(0, list.start)}[${left.join(',')}]${raw.slice(list.end)}`, ...counts };
}

/** Whether a parser is needed: the id may be there, if only in an escape, or in an encoded body. */
function mayConcern(raw: string, { naming: { needles } }: ErasureScope): boolean {
  if (!chunkVersions.some((version) => raw.startsWith(`{"v":${version},`))) return true;
  return ['\\', '"base64"', ...needles].some((sign) => raw.includes(sign));
}

/** Null if there are two lists, or they cannot be matched up: a worker stores no record of such a chunk. */
function recordList(raw: string): { start: number; end: number; texts: string[] } | null {
  const lists = findJsonMembers(raw)?.filter(({ key }) => key === 'records') ?? [];
  const [list, ...more] = lists;
  if (list === undefined || more.length > 0) return null;
  const text = raw.slice(list.value, list.end);
  const elements = findJsonElements(text);
  if (elements === null) return null;
  return { start: list.value, end: list.end, texts: elements.map(({ start, end }) => text.slice(start, end)) };
}

function hasToGo(data: unknown, raw: string, { subject, naming, ownOnly }: ErasureScope): boolean {
  const { records } = (data ?? {}) as { records?: unknown };
  const candidates = [data, ...(Array.isArray(records) ? records : [])];
  if (candidates.some((record) => ownersOf(record).some((owner) => isOwner(owner, subject)))) return true;
  return data === null || !ownOnly ? naming.isInJson(raw) : false;
}
