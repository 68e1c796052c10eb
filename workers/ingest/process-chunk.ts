import { latestPlausible } from '../../shared/contracts/plausible-time.ts';
import { unwrapChunk } from '../../shared/platform/chunk-compression.ts';
import type { Batcher } from './batcher.ts';
import { CopyRefusedError } from './copy-writer.ts';
import type { CopyRows, QueueDefinition } from './queue-definition.ts';
import { damagedChunk, readChunk, type SettledChunk, settleByStatement } from './settle-by-statement.ts';

/** The data of a job as it was received: JSON, if its producer kept to the contract. */
export interface JobContent {
  jobId: string | null;
  raw: string;
  /** ms since 1970, by a clock that all workers share */
  nowMs: number;
}

/** How a chunk ended. */
export type ChunkOutcome =
  | SettledChunk
  /** from a newer producer: to be delayed */
  | { kind: 'newer'; version: number };

/** What stores the records of many chunks together. */
export interface Batchers {
  copy: Batcher<CopyRows>;
  json: Batcher;
}

/**
 * Settles a chunk: its good records go through a batcher, those that the contract or the database refuses become dead letters.
 * The records of a chunk in canonical form go to COPY, and are not parsed unless it refuses them. A compressed chunk is that of
 * its plain text.
 *
 * @throws what kept the batch from being settled: the chunk is then to be delivered again
 */
export async function processChunk(
  definition: ChunkDefinition,
  { jobId, raw: received, nowMs }: JobContent,
  batchers: Batchers,
): Promise<ChunkOutcome> {
  const latest = latestPlausible(nowMs);
  const settled = await settleByCopy(definition.copy, received, latest, batchers.copy);
  if (settled !== null) return settled;
  const unwrapped = await unwrapChunk(received);
  const read =
    unwrapped.kind === 'damaged'
      ? damagedChunk(received, unwrapped.reason)
      : readChunk(unwrapped.bytes.toString(), definition, latest);
  return read.kind === 'newer' ? read : settleByStatement(definition, jobId, read, batchers.json);
}

/** What it takes to settle a chunk. */
type ChunkDefinition = Pick<QueueDefinition, 'queue' | 'findProblem' | 'findOddity' | 'keyOf' | 'copy'>;

/** Null when the chunk is not in canonical form, or COPY refuses its records. While it waits it keeps their rows, and not its text. */
async function settleByCopy(
  copy: QueueDefinition['copy'],
  received: string,
  latest: string,
  batcher: Batchers['copy'],
): Promise<SettledChunk | null> {
  const read = await readForCopy(copy, received, latest);
  if (read === null) return null;
  try {
    await batcher.add(read.rows);
  } catch (error) {
    if (error instanceof CopyRefusedError) return null;
    throw error;
  }
  const { producer, records } = read.chunk;
  return { kind: 'settled', producer, records, dead: [], retryLimited: [], retryLater: 0, odd: 0 };
}

async function readForCopy(copy: QueueDefinition['copy'], received: string, latest: string) {
  const unwrapped = await unwrapChunk(received);
  return unwrapped.kind === 'plain' ? copy.read(unwrapped.bytes, latest) : null;
}
