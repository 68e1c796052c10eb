import { leastCompressedBytes, mostCompressedBytes } from '../../shared/contracts/compressed-chunk.ts';
import { hasZstd, wrapChunk } from '../../shared/platform/chunk-compression.ts';
import { createSerial } from '../spill/serial.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';
import { settlesWithin } from './settles-within.ts';

/** The id of the request by its JSON, or the beginning of it, which a compressed chunk repeats for its shard; null: it has none. */
export type RequestIdOf = (json: string) => string | null;

/** One at a time for all producers of a process: Node's pool has four threads by default, and they are the host's. */
const exclusively = createSerial();

/** of all producers of the process: as long as it grows, the pool is not stuck */
let ended = 0;

/** If the host keeps the pool so busy that nothing ends for so long, chunks are sent as they are. */
const patienceMs = 500;

/**
 * Compresses chunks that were not sent yet, off the event loop, where that saves something. Never throws: what cannot be
 * compressed, or not in time, stays plain. Once it has resolved, their data does not change any more.
 *
 * @returns null: there is nothing to be done
 */
export function compressChunks(
  chunks: readonly OutgoingChunk[],
  requestIdOf: RequestIdOf | null,
): Promise<void> | null {
  const large = hasZstd ? chunks.filter(isWorthIt) : [];
  return large.length === 0 ? null : compressAll(large, requestIdOf);
}

async function compressAll(chunks: readonly OutgoingChunk[], requestIdOf: RequestIdOf | null): Promise<void> {
  // Emptied when it takes too long: what waits for the pool must not hold chunks that were sent long ago.
  const left = [...chunks];
  const compressing = exclusively(async () => {
    for (let [chunk] = left; chunk !== undefined; [chunk] = left) {
      const data = chunk.hasData ? null : await compress(chunk, requestIdOf);
      ended += 1;
      // A chunk that was written to disk meanwhile keeps its text.
      if (left.shift() !== undefined && data !== null && !chunk.hasData) chunk.setData(data);
    }
  });
  let endedBefore: number;
  do {
    endedBefore = ended;
    if (await settlesWithin(compressing, patienceMs)) return;
  } while (ended > endedBefore);
  left.length = 0;
}

function isWorthIt({ plainBytes }: OutgoingChunk): boolean {
  return plainBytes >= leastCompressedBytes && plainBytes <= mostCompressedBytes;
}

/** All but the largest chunks fit into memory of so many bytes, which is kept. */
const keptBytes = 1_048_576;
let kept = Buffer.alloc(0);

/** One chunk at a time: they use the same memory. Null when the chunk stays plain. */
function compress(chunk: OutgoingChunk, requestIdOf: RequestIdOf | null): Promise<string | null> {
  const { plainBytes, entries } = chunk;
  const memory = plainBytes <= kept.length ? kept : Buffer.allocUnsafeSlow(plainBytes);
  if (plainBytes <= keptBytes) kept = memory;
  const requestId = requestIdOf?.(entries[0]?.record.text.beginning ?? '') ?? null;
  return wrapChunk(chunk.writePlain(memory), entries.length, requestId);
}
