import { readCompressedChunk } from '../../shared/contracts/compressed-chunk.ts';
import { wrapChunkAtOnce } from '../../shared/platform/chunk-compression.ts';

/** A plain chunk as it is compressed. @throws when it stays plain */
export function compressed(plain: string, count = 1, requestId: string | null = null): string {
  const text = wrapChunkAtOnce(plain, count, requestId);
  if (readCompressedChunk(text) === null) throw new Error('the chunk stays plain');
  return text;
}

/** A text that compresses to next to nothing, for where a chunk has to be large enough. */
export const filler = 'x'.repeat(1_024);
