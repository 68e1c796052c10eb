import type { Chunk } from '../contracts/chunk.ts';
import { compressedChunkVersion } from '../contracts/compressed-chunk.ts';
import { parseChunk } from '../contracts/parse-chunk.ts';
import { unwrapChunkAtOnce } from './chunk-compression.ts';
import { jsonOrNull } from './json-or-null.ts';

/** The chunk in a job that BullMQ has read, compressed or not. Null when it has none that this build can read. */
export function chunkOfJob<R>(job: { data: { v?: unknown } | null } | undefined): Chunk<R> | null {
  const data = job?.data;
  const parsed = parseChunk(data?.v === compressedChunkVersion ? plainOf(JSON.stringify(data)) : data);
  return parsed.kind === 'chunk' ? (parsed.chunk as Chunk<R>) : null;
}

function plainOf(text: string): unknown {
  const unwrapped = unwrapChunkAtOnce(text);
  return unwrapped.kind === 'plain' ? jsonOrNull(unwrapped.text) : null;
}
