import { type Chunk, type ParsedChunk, parseChunk } from '../../shared/contracts/chunk.ts';
import { requestLimits } from '../../shared/contracts/completed-request.ts';
import { executionLimits } from '../../shared/contracts/execution.ts';
import { latestPlausible } from '../../shared/contracts/plausible-time.ts';
import { findJsonMembers } from '../../shared/json-members.ts';
import type { BatchEntry, Batcher } from '../batcher.ts';
import { type DeadLetter, exactRecords, toDeadLetter } from '../dead-letters.ts';
import { type Refusal, RefusedRecordsError, UnreadableEntryError } from '../settle.ts';
import type { Fate, RecordKind } from './kind.ts';
import { withNote } from './with-note.ts';

/** The data of a job as it was received: JSON, if its producer kept to the contract. */
export interface JobContent {
  jobId: string | null;
  raw: string;
  /** ms since 1970, by a clock that all workers share */
  nowMs: number;
}

/** How a chunk ended. */
export type ChunkOutcome =
  /**
   * every record is committed or was there already, but for those that became letters, which are still to be stored, and
   * those in conflict with their row, which may come right or become these letters, and those left for later
   */
  | {
      kind: 'settled';
      /** null when the chunk is none */
      producer: string | null;
      records: number;
      dead: DeadLetter[];
      conflicts: DeadLetter[];
      later: number;
      /** records with times that cannot be; their rows say so */
      odd: number;
    }
  /** from a newer producer: to be put off */
  | { kind: 'newer'; version: number };

/** The limit of both contracts. */
const maxNotesChars = Math.min(executionLimits.notesChars, requestLimits.notesChars);

/** The code of letters whose record is not what its contract says. */
const schemaCode = 'schema';

/**
 * Settles a chunk: its good records go through the batcher, those that the contract or the database refuses become dead
 * letters.
 *
 * @throws what kept the batch from being settled: the chunk is then to be delivered again
 */
export async function settleChunk(
  { queue, findProblem, findOddity, keyOf }: Pick<RecordKind, 'queue' | 'findProblem' | 'findOddity' | 'keyOf'>,
  { jobId, raw, nowMs }: JobContent,
  batcher: Batcher,
): Promise<ChunkOutcome> {
  const data = parseJson(raw);
  const parsed = data === notJson ? malformedJson : parseChunk(data);
  if (parsed.kind === 'newer') return parsed;
  if (parsed.kind === 'malformed') {
    const origin = { queue, contractVersion: null, jobId, producer: null };
    const dead = [toDeadLetter(raw, schemaCode, `chunk: ${parsed.reason}`, origin)];
    return { kind: 'settled', producer: null, records: 1, dead, conflicts: [], later: 0, odd: 0 };
  }
  const { producer } = parsed.chunk;
  const origin = { queue, contractVersion: parsed.chunk.v, jobId, producer };
  const wholeChunk = (reason: string): ChunkOutcome => ({
    kind: 'settled',
    producer,
    records: parsed.chunk.records.length,
    // Without a version: a replay would take the chunk for a record.
    dead: [toDeadLetter(raw, schemaCode, `chunk: ${reason}`, { ...origin, contractVersion: null })],
    conflicts: [],
    later: 0,
    odd: 0,
  });
  if (hasTwoLists(raw)) return wholeChunk('has more than one list of records');
  const { records } = parsed.chunk;
  const problems = records.map(findProblem);
  const goodIndexes = problems.flatMap((problem, index) => (problem === null ? [index] : []));

  const latest = latestPlausible(nowMs);
  const oddities = goodIndexes.map((index) => findOddity(records[index], latest));
  const odd = oddities.filter((oddity) => oddity !== null).length;

  let exact: string[] | null = null;
  const exactText = (index: number): string => {
    exact ??= exactRecords(raw);
    return exact[index] ?? 'null';
  };
  try {
    const cut = goodIndexes.length === records.length && odd === 0 ? cutRecords(raw, data as Chunk) : null;
    const noted = (index: number, place: number): string => {
      const oddity = oddities[place] ?? null;
      return oddity === null ? exactText(index) : withNote(exactText(index), oddity, maxNotesChars);
    };
    const json = cut ?? `[${goodIndexes.map(noted).join(',')}]`;
    const refusals = goodIndexes.length === 0 ? [] : await refusedOf({ json, records: goodIndexes.length }, batcher);
    const refused: Refusal[] = [
      ...problems.flatMap((reason, index) =>
        reason === null ? [] : [{ index, code: schemaCode, reason, fate: 'dead' as const }],
      ),
      ...refusals.map((refusal) => ({ ...refusal, index: goodIndexes[refusal.index] ?? 0 })),
    ];
    const lettersOf = (fate: Fate): DeadLetter[] =>
      refused
        .filter((one) => one.fate === fate)
        .map(({ index, code, reason }) => toDeadLetter(exactText(index), code, reason, origin, keyOf));
    return {
      kind: 'settled',
      producer,
      records: records.length,
      dead: lettersOf('dead'),
      conflicts: lettersOf('conflict'),
      later: refused.filter(({ fate }) => fate === 'later').length,
      odd,
    };
  } catch (error) {
    if (error instanceof UnreadableEntryError) return wholeChunk(`cannot be taken apart: ${error.message}`);
    if (error instanceof RangeError) return wholeChunk('is nested too deeply');
    throw error;
  }
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

/**
 * The text of a chunk's records, cut out of the chunk's text, which spares a quarter of the worker's work: the SDK writes
 * the header in one way, with the records last. Null when the chunk is written otherwise.
 */
function cutRecords(raw: string, chunk: Chunk): string | null {
  const { v, producer, epoch, seq } = chunk;
  const header = `${JSON.stringify({ v, producer, epoch, seq }).slice(0, -1)},"records":`;
  const isWrittenBySdk = Object.keys(chunk).length === 5 && raw.startsWith(`${header}[`) && raw.endsWith(']}');
  return isWrittenBySdk ? raw.slice(header.length, -1) : null;
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
