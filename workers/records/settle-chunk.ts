import { type Chunk, type ParsedChunk, parseChunk } from '../../shared/contracts/chunk.ts';
import type { BatchEntry, Batcher } from '../batcher.ts';
import { type DeadLetter, exactRecords, toDeadLetter } from '../dead-letters.ts';
import { type Refusal, RefusedRecordsError } from '../settle.ts';
import type { RecordKind } from './kind.ts';

/** The data of a job as it was received: JSON, if its producer kept to the contract. */
export interface JobContent {
  jobId: string | null;
  raw: string;
}

/** How a chunk ended. */
export type ChunkOutcome =
  /**
   * every record is committed or was there already, but for those that became letters, which are still to be stored, and
   * those in conflict with their row, which may come right or become these letters
   */
  | { kind: 'settled'; records: number; dead: DeadLetter[]; conflicts: DeadLetter[] }
  /** from a newer producer: to be put off */
  | { kind: 'newer'; version: number };

/** The code of letters whose record is not what its contract says. */
const schemaCode = 'schema';

/**
 * Settles a chunk: its good records go through the batcher, those that the contract or the database refuses become dead
 * letters.
 *
 * @throws what kept the batch from being settled: the chunk is then to be delivered again
 */
export async function settleChunk(
  { queue, findProblem, keyOf }: Pick<RecordKind, 'queue' | 'findProblem' | 'keyOf'>,
  { jobId, raw }: JobContent,
  batcher: Batcher,
): Promise<ChunkOutcome> {
  const data = parseJson(raw);
  const parsed = data === notJson ? malformedJson : parseChunk(data);
  if (parsed.kind === 'newer') return parsed;
  if (parsed.kind === 'malformed') {
    const origin = { queue, contractVersion: null, jobId, producer: null };
    const dead = [toDeadLetter(raw, schemaCode, `chunk: ${parsed.reason}`, origin)];
    return { kind: 'settled', records: 1, dead, conflicts: [] };
  }
  const { records } = parsed.chunk;
  const problems = records.map(findProblem);
  const good = records.filter((_record, index) => problems[index] === null);
  const goodIndexes = records.flatMap((_record, index) => (problems[index] === null ? [index] : []));

  const json = good.length === records.length ? recordsText(raw, data as Chunk) : JSON.stringify(good);
  const refusals = good.length === 0 ? [] : await refusedOf({ json, records: good.length }, batcher);
  const dead: Refusal[] = [
    ...problems.flatMap((reason, index) =>
      reason === null ? [] : [{ index, code: schemaCode, reason, mayComeRight: false }],
    ),
    ...refusals.map((refusal) => ({ ...refusal, index: goodIndexes[refusal.index] ?? 0 })),
  ];
  const origin = { queue, contractVersion: parsed.chunk.v, jobId, producer: parsed.chunk.producer };
  const payloads = dead.length === 0 ? [] : exactRecords(raw);
  const lettersOf = (refused: readonly Refusal[]): DeadLetter[] =>
    refused.map(({ index, code, reason }) => toDeadLetter(payloads[index] ?? 'null', code, reason, origin, keyOf));
  return {
    kind: 'settled',
    records: records.length,
    dead: lettersOf(dead.filter(({ mayComeRight }) => !mayComeRight)),
    conflicts: lettersOf(dead.filter(({ mayComeRight }) => mayComeRight)),
  };
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
 * The text of a chunk's records. The SDK writes a chunk's header in one way, with the records last: then their text can be
 * cut out of it, which spares a quarter of the worker's work.
 */
function recordsText(raw: string, { records, ...rest }: Chunk): string {
  const { v, producer, epoch, seq } = rest;
  const header = `${JSON.stringify({ v, producer, epoch, seq }).slice(0, -1)},"records":`;
  const isWrittenBySdk = Object.keys(rest).length === 4 && raw.startsWith(`${header}[`) && raw.endsWith(']}');
  return isWrittenBySdk ? raw.slice(header.length, -1) : JSON.stringify(records);
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
