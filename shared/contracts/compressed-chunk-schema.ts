import { z } from 'zod';
import { producerNamePattern } from './chunk.ts';
import { compressedChunkVersion, mostCompressedBytes } from './compressed-chunk.ts';

/**
 * A compressed chunk as it is published for other writers. Workers read it from the text instead, see readCompressedChunk: they
 * also need the members in this order and without spaces, which no schema can say.
 */
export const compressedChunkSchema = z.strictObject({
  v: z
    .literal(compressedChunkVersion)
    .describe('The version of the envelope. The plain text in it has a version of its own.'),
  producer: z.string().regex(producerNamePattern).describe('As in the plain text.'),
  epoch: z.int().min(0).describe('As in the plain text.'),
  life: z
    .string()
    .regex(/^[A-Za-z0-9]{1,100}$/)
    .optional()
    .describe('As in the plain text.'),
  seq: z.int().min(1).describe('As in the plain text.'),
  requestId: z
    .uuid()
    .optional()
    .describe('In chunks of requests only: that of the first record. It decides the shard.'),
  encoding: z.literal('zstd').describe('How `data` is compressed.'),
  count: z.int().min(1).max(999_999_999).describe('Number of records.'),
  bytes: z.int().min(1).max(mostCompressedBytes).describe('The size of the plain text in bytes of UTF-8.'),
  data: z
    .string()
    .regex(/^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)
    .describe('One zstd frame of the plain text, in base64.'),
});
