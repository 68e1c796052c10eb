import type { DeadLetter } from '../../dead-letters/dead-letter.ts';
import { toDeadLetter } from '../../dead-letters/store.ts';
import { requestLimits } from '../../shared/contracts/completed-request.ts';
import { readCompressedChunk } from '../../shared/contracts/compressed-chunk.ts';
import { executionLimits } from '../../shared/contracts/execution.ts';
import { ledgerHeaderOf } from '../../shared/contracts/ledger-header.ts';
import { isReport, type LedgerReportJob } from '../../shared/contracts/ledger-report.ts';
import { parseReport } from '../../shared/contracts/ledger-report-schema.ts';
import { type ParsedChunk, parseChunk } from '../../shared/contracts/parse-chunk.ts';
import { findJsonMembers } from '../../shared/platform/json-members.ts';
import { type ChunkAccount, placesOf, toChunkAccount } from '../../shared/platform/ledger/chunk-account.ts';
import type { BatchEntry, Batcher } from './batcher.ts';
import { type Refusal, RefusedRecordsError, UnreadableEntryError } from './bisect.ts';
import type { Disposition, QueueDefinition } from './queue-definition.ts';
import { chunkRecordTexts, cutRecordList } from './record-texts.ts';
import { withNote } from './with-note.ts';

/**
 * A chunk of which every record is committed or was there already, but for those that became dead letters, which are still to be
 * stored, and those in conflict with their row, which may come right or become these dead letters, and those left for later.
 */
export interface SettledChunk {
  kind: 'settled';
  /** COPY stored all of its records: none is of somebody who was erased until then */
  isCopied: boolean;
  /** null when the chunk is none */
  producer: string | null;
  records: number;
  dead: DeadLetter[];
  retryLimited: DeadLetter[];
  /** what the ledger is to say of it; undefined: the chunk says nothing of itself, or is none */
  ledger?: ChunkLedger | undefined;
  retryLater: number;
  /** records with times that cannot be; their rows say so */
  odd: number;
}

/** The account of a chunk, and the places of its records that are dead, or will be if no retry helps. */
export interface ChunkLedger {
  account: ChunkAccount;
  dead: readonly number[];
}

/** The limit of both contracts. */
const maxNotesChars = Math.min(executionLimits.notesChars, requestLimits.notesChars);

/** The code of dead letters whose record is not what its contract says. */
const schemaCode = 'schema';

/**
 * Settles a chunk that was read by a parser: the good records go through the batcher, those that the contract or the database
 * refuses become dead letters. While it waits it keeps the chunk's text, and no more: what a parser makes of a text may take
 * twenty times as much, and a hundred chunks wait at once.
 *
 * @throws what kept the batch from being settled: the chunk is then to be delivered again
 */
export async function settleByStatement(
  definition: Pick<QueueDefinition, 'queue' | 'keyOf'>,
  jobId: string | null,
  read: ParsedChunkText,
  batcher: Batcher,
): Promise<SettledChunk> {
  const { raw, producer, version, records, problems, oddities, account } = read;
  const places = account === null ? [] : placesOf(account);
  const ledgerWith = (dead: readonly number[]) => (account === null ? undefined : { account, dead });
  const origin = { queue: definition.queue, contractVersion: version, jobId, producer };
  const wholeChunk = (reason: string): SettledChunk => ({
    kind: 'settled',
    isCopied: false,
    producer,
    records,
    // Without a version: a replay would take the chunk for a record.
    dead: [toDeadLetter(raw, schemaCode, `chunk: ${reason}`, { ...origin, contractVersion: null })],
    retryLimited: [],
    ledger: ledgerWith(places),
    retryLater: 0,
    odd: 0,
  });
  if (read.wrong !== null) return wholeChunk(read.wrong);

  let texts: string[] | null = null;
  const textOf = (index: number): string => {
    texts ??= chunkRecordTexts(raw);
    return texts[index] ?? 'null';
  };
  const notedTextOf = (index: number): string => {
    const oddity = oddities.get(index);
    return oddity === undefined ? textOf(index) : withNote(textOf(index), oddity, maxNotesChars);
  };
  try {
    const good = indexesUpTo(records).filter((index) => !problems.has(index));
    const asItCame = problems.size === 0 && oddities.size === 0 ? read.list : null;
    const json = asItCame ?? `[${good.map(notedTextOf).join(',')}]`;
    const ledger = account === null ? {} : { ledger: good.map((index) => ({ account, place: places[index] ?? 0 })) };
    const refusals = good.length === 0 ? [] : await refusedOf({ json, records: good.length, ...ledger }, batcher);
    const refused: Refusal[] = [
      ...Array.from(problems, ([index, reason]) => ({
        index,
        code: schemaCode,
        reason,
        disposition: 'deadLetter' as const,
      })),
      ...refusals.map((refusal) => ({ ...refusal, index: good[refusal.index] ?? 0 })),
    ];
    const deadLettersOf = (disposition: Disposition): DeadLetter[] =>
      refused
        .filter((one) => one.disposition === disposition)
        .map(({ index, code, reason }) => toDeadLetter(textOf(index), code, reason, origin, definition.keyOf));
    return {
      kind: 'settled',
      isCopied: false,
      producer,
      records,
      dead: deadLettersOf('deadLetter'),
      retryLimited: deadLettersOf('retryLimited'),
      ledger: ledgerWith(
        refused.filter(({ disposition }) => disposition !== 'retryLater').flatMap(({ index }) => places[index] ?? []),
      ),
      retryLater: refused.filter(({ disposition }) => disposition === 'retryLater').length,
      odd: oddities.size,
    };
  } catch (error) {
    if (error instanceof UnreadableEntryError) return wholeChunk(`cannot be taken apart: ${error.message}`);
    if (error instanceof RangeError) return wholeChunk('is nested too deeply');
    throw error;
  }
}

/** What is known of a chunk by its text: nothing here refers to what was parsed. */
interface ParsedChunkText {
  kind: 'read';
  /** the text */
  raw: string;
  producer: string | null;
  version: number | null;
  records: number;
  /** why the whole chunk is dead; null when it is not */
  wrong: string | null;
  /** what the contract says against records, by their places */
  problems: ReadonlyMap<number, string>;
  /** what is to be noted on good records, by their places */
  oddities: ReadonlyMap<number, string>;
  /** the records as a JSON list, cut out of the text; null when that takes more than a cut */
  list: string | null;
  /** null: the chunk says nothing to the ledger */
  account: ChunkAccount | null;
}

export type ReadChunk =
  | { kind: 'newer'; version: number }
  /** no chunk: what a producer tells the ledger */
  | { kind: 'report'; job: LedgerReportJob }
  | ParsedChunkText;

/** Reads a chunk by a parser. @param latest see latestPlausible */
export function readChunk(
  raw: string,
  { queue, findProblem, findOddity }: Pick<QueueDefinition, 'queue' | 'findProblem' | 'findOddity'>,
  latest: string,
): ReadChunk {
  const data = parseJson(raw);
  const report = isReport(data) ? parseReport(data) : null;
  if (report?.kind === 'report') return report;
  const parsed = data === notJson ? malformedJson : (report ?? parseChunk(data));
  if (parsed.kind === 'newer') return parsed;
  const problems = new Map<number, string>();
  const oddities = new Map<number, string>();
  const nothing = { kind: 'read', raw, problems, oddities, list: null, account: null } as const;
  if (parsed.kind === 'malformed')
    return { ...nothing, producer: null, version: null, records: 1, wrong: parsed.reason };
  const { v: version, producer, records } = parsed.chunk;
  const header = ledgerHeaderOf(parsed.chunk);
  const account = header === null ? null : toChunkAccount(queue, parsed.chunk, header, records.length);
  const known = { ...nothing, producer, version, records: records.length, account };
  if (hasTwoLists(raw)) return { ...known, wrong: 'has more than one list of records' };
  for (const [index, record] of records.entries()) {
    const problem = findProblem(record);
    if (problem !== null) problems.set(index, problem);
    const oddity = problem === null ? findOddity(record, latest) : null;
    if (oddity !== null) oddities.set(index, oddity);
  }
  return { ...known, wrong: null, list: cutRecordList(raw, data as object) };
}

/** A compressed chunk of which there is no plain text. */
export function damagedChunk(received: string, reason: string): ParsedChunkText {
  const producer = readCompressedChunk(received)?.producer ?? null;
  const nothing = { problems: new Map(), oddities: new Map(), list: null, account: null };
  return { kind: 'read', raw: received, producer, version: null, records: 1, wrong: reason, ...nothing };
}

function indexesUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

const notJson = Symbol('not JSON');
const malformedJson: ParsedChunk = { kind: 'malformed', reason: 'is not JSON' };

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return notJson;
  }
}

/** Whether a chunk has its records twice, of which a parser silently keeps the last. */
function hasTwoLists(raw: string): boolean {
  // What looks like it may also be in a record; then it is looked for properly.
  const first = raw.indexOf('"records"');
  if (raw.indexOf('"records"', first + 1) === -1) return false;
  const members = findJsonMembers(raw) ?? [];
  return members.filter(({ key }) => key === 'records').length > 1;
}

async function refusedOf(entry: BatchEntry, batcher: Batcher): Promise<readonly Refusal[]> {
  try {
    await batcher.add(entry);
    return [];
  } catch (error) {
    if (error instanceof RefusedRecordsError) return error.refusals;
    throw error;
  }
}
