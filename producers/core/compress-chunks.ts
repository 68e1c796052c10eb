import { leastCompressedBytes } from '../../shared/contracts/compressed-chunk.ts';
import { hasZstd, wrapChunk } from '../../shared/platform/chunk-compression.ts';
import { createSerial } from '../spill/serial.ts';
import type { OutgoingChunk } from './chunker.ts';
import { settlesWithin } from './settles-within.ts';

/** The id of the first request in a chunk's plain text, which a compressed one repeats for its shard; null: it has none. */
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
  const large = hasZstd ? chunks.filter(({ data }) => data.length >= leastCompressedBytes) : [];
  return large.length === 0 ? null : compressAll(large, requestIdOf);
}

async function compressAll(chunks: readonly OutgoingChunk[], requestIdOf: RequestIdOf | null): Promise<void> {
  // Emptied when it takes too long: what waits for the pool must not hold chunks that were sent long ago.
  const left = [...chunks];
  const compressing = exclusively(async () => {
    for (let [chunk] = left; chunk !== undefined; [chunk] = left) {
      const { data: plain, entries } = chunk;
      const data = await wrapChunk(plain, entries.length, requestIdOf?.(plain) ?? null);
      ended += 1;
      if (left.shift() !== undefined) chunk.data = data;
    }
  });
  let endedBefore: number;
  do {
    endedBefore = ended;
    if (await settlesWithin(compressing, patienceMs)) return;
  } while (ended > endedBefore);
  left.length = 0;
}
