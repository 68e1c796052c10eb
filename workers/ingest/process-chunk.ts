import type { LedgerReportJob } from '../../shared/contracts/ledger-report.ts';
import { latestPlausible } from '../../shared/contracts/plausible-time.ts';
import { type UnwrappedBytes, unwrapChunk } from '../../shared/platform/chunk-compression.ts';
import { toChunkAccount } from '../../shared/platform/ledger/chunk-account.ts';
import type { Batcher } from './batcher.ts';
import { CopyRefusedError } from './copy-writer.ts';
import type { CopyRows, QueueDefinition } from './queue-definition.ts';
import {
  damagedChunk,
  type ReadChunk,
  readChunk,
  type SettledChunk,
  settleByStatement,
} from './settle-by-statement.ts';

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
  /** it is none: what a producer tells the ledger */
  | { kind: 'report'; job: LedgerReportJob }
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
  const read = await readForCopy(definition, received, latest);
  const settled = read.kind === 'rows' ? await settleByCopy(read, batchers.copy) : null;
  if (settled !== null) return settled;
  const parsed = read.kind === 'rows' ? readByParser(definition, received, await unwrapChunk(received), latest) : read;
  return parsed.kind === 'read' ? settleByStatement(definition, jobId, parsed, batchers.json) : parsed;
}

/** What it takes to settle a chunk. */
type ChunkDefinition = Pick<QueueDefinition, 'queue' | 'findProblem' | 'findOddity' | 'keyOf' | 'copy'>;

/** A chunk in canonical form: while it waits its rows are kept, and not its text. */
type ChunkRows = { kind: 'rows' } & NonNullable<ReturnType<QueueDefinition['copy']['read']>>;

/** Null when COPY refuses the records. */
async function settleByCopy({ chunk, rows }: ChunkRows, batcher: Batchers['copy']): Promise<SettledChunk | null> {
  try {
    await batcher.add(rows);
  } catch (error) {
    if (error instanceof CopyRefusedError) return null;
    throw error;
  }
  const { head, records } = chunk;
  const settled = { kind: 'settled', isCopied: true, producer: head.producer, records } as const;
  const ledger = rows.account && { account: rows.account, dead: [] };
  return { ...settled, dead: [], retryLimited: [], retryLater: 0, odd: 0, ledger };
}

/** Its rows, or what a parser says of a chunk that is not in canonical form. */
async function readForCopy(
  definition: ChunkDefinition,
  received: string,
  latest: string,
): Promise<ChunkRows | ReadChunk> {
  const unwrapped = await unwrapChunk(received);
  const read = unwrapped.kind === 'plain' ? definition.copy.read(unwrapped.bytes, latest) : null;
  if (read === null) return readByParser(definition, received, unwrapped, latest);
  const { chunk, rows } = read;
  const { head, records } = chunk;
  const account = head.ledger && toChunkAccount(definition.queue, head, head.ledger, records);
  return { kind: 'rows', chunk, rows: account === null ? rows : { ...rows, account } };
}

function readByParser(
  definition: ChunkDefinition,
  received: string,
  unwrapped: UnwrappedBytes,
  latest: string,
): ReadChunk {
  if (unwrapped.kind === 'damaged') return damagedChunk(received, unwrapped.reason);
  return readChunk(unwrapped.bytes.toString(), definition, latest);
}
