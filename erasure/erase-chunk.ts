import { chunkVersions } from '../shared/contracts/chunk.ts';
import { readCompressedChunk } from '../shared/contracts/compressed-chunk.ts';
import { isOwner, ownersOf } from '../shared/contracts/erasure-subject.ts';
import { isReport, type LedgerMinute, type LedgerReportJob } from '../shared/contracts/ledger-report.ts';
import { parseReport } from '../shared/contracts/ledger-report-schema.ts';
import { parseChunk } from '../shared/contracts/parse-chunk.ts';
import type { QueueName } from '../shared/contracts/queues.ts';
import { unwrapChunkAtOnce, wrapChunkAtOnce } from '../shared/platform/chunk-compression.ts';
import { findJsonElements, findJsonMembers } from '../shared/platform/json-members.ts';
import { jsonOrNull } from '../shared/platform/json-or-null.ts';
import type { ChunkAccount } from '../shared/platform/ledger/chunk-account.ts';
import { editLedgerHeader, type LedgerEdit, toRealm } from './erase-ledger-header.ts';
import { type ErasureScope, eraseFromRecord } from './erase-record.ts';

/** How many records were removed, and how many of other people were changed. */
export interface RecordCounts {
  erased: number;
  blanked: number;
}

/** What happens to a job's data, or to a chunk on disk. */
export type ChunkDisposition =
  | { kind: 'kept' }
  /** no record is left in it; its account, if it has one, is to say so */
  | ({ kind: 'erased'; account?: ChunkAccount } & RecordCounts)
  | ({ kind: 'changed'; data: string } & RecordCounts)
  /** from a newer producer, or damaged: its contents are unknown */
  | { kind: 'newer' };

/**
 * Removes a subject's records from a chunk. All other records keep their text, and so does the header, because a missing number
 * means a lost chunk; only what it says to the ledger names the subject no more, and says which records are gone. In a report to
 * the ledger, the subject is renamed. What was compressed is compressed again. Other data that is not a chunk is deleted if it
 * names the subject.
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
  const report = isReport(data) ? parseReport(data) : null;
  if (report?.kind === 'report') return renameInReport(report.job, scope);
  const parsed = parseChunk(data);
  if (parsed.kind === 'newer') return parsed;
  const list = parsed.kind === 'chunk' ? recordList(raw) : null;
  if (list === null) return hasToGo(data, raw, scope) ? { kind: 'erased', erased: 1, blanked: 0 } : { kind: 'kept' };
  const counts: RecordCounts = { erased: 0, blanked: 0 };
  const gone: number[] = [];
  const left = list.texts.flatMap((text, index) => {
    const disposition = eraseFromRecord(queue, text, scope);
    if (disposition.kind === 'kept') return [text];
    counts[disposition.kind] += 1;
    if (disposition.kind === 'erased') gone.push(index);
    return disposition.kind === 'erased' ? [] : [disposition.json];
  });
  const edit = parsed.kind === 'chunk' ? editLedgerHeader(queue, parsed.chunk, { scope, gone }) : null;
  if (counts.erased + counts.blanked === 0 && edit?.isRenamed !== true) return { kind: 'kept' };
  if (left.length === 0) return { kind: 'erased', ...counts, ...(edit === null ? {} : { account: edit.account }) };
  const records = `[${left.join(',')}]`;
  if (edit === null)
    return { kind: 'changed', data: `${raw.slice(0, list.start)}${records}${raw.slice(list.end)}`, ...counts };
  return { kind: 'changed', data: withLedger(raw, edit, records), ...counts };
}

/** The chunk's text with other records, and what it says to the ledger now. All other members keep their text. */
function withLedger(raw: string, { of, erased }: Pick<LedgerEdit, 'of' | 'erased'>, records: string): string {
  const members = findJsonMembers(raw) ?? [];
  const texts = members.flatMap(({ key, start, end }) => {
    if (key === 'of') return [`"of":${JSON.stringify(of)}`];
    if (key === 'erased') return [];
    if (key !== 'records') return [raw.slice(start, end)];
    return [...(erased.length === 0 ? [] : [`"erased":${JSON.stringify(erased)}`]), `"records":${records}`];
  });
  return `{${texts.join(',')}}`;
}

function renameInReport(job: LedgerReportJob, scope: ErasureScope): ChunkDisposition {
  const minutes = job.report.minutes.map(([minute, realm, counters]): LedgerMinute => {
    return [minute, toRealm(realm, minute, scope), counters];
  });
  if (minutes.every(([, realm], index) => realm === job.report.minutes[index]?.[1])) return { kind: 'kept' };
  const data = JSON.stringify({ ...job, report: { ...job.report, minutes } });
  return { kind: 'changed', data, erased: 0, blanked: 0 };
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
