import type { Chunk } from '../contracts/chunk.ts';
import { compressedChunkVersion } from '../contracts/compressed-chunk.ts';
import { unwrapChunkAtOnce } from './chunk-compression.ts';
import { jsonOrNull } from './json-or-null.ts';

/** The chunk in a job that BullMQ has read, compressed or not; only that it has records is checked. Null when it has none. */
export function chunkOfJob<R>(job: { data: { v?: unknown } | null } | undefined): Chunk<R> | null {
  const data = job?.data;
  const plain = (data?.v === compressedChunkVersion ? plainOf(JSON.stringify(data)) : data) as
    | Chunk<R>
    | null
    | undefined;
  return Array.isArray(plain?.records) ? plain : null;
}

function plainOf(text: string): unknown {
  const unwrapped = unwrapChunkAtOnce(text);
  return unwrapped.kind === 'plain' ? jsonOrNull(unwrapped.text) : null;
}
