import { promisify } from 'node:util';
// The whole module: a name that this Node does not have cannot be imported.
import zlib from 'node:zlib';
import {
  type CompressedChunk,
  leastCompressedBytes,
  mostCompressedBytes,
  readCompressedChunk,
  readPlainHead,
  writeCompressedChunk,
} from '../contracts/compressed-chunk.ts';
import { toError } from './errors.ts';

/** Whether this Node has zstd: from 22.15 and 23.8 on. Without it, chunks are sent plain. */
export const hasZstd = typeof zlib.zstdCompress === 'function';

/** Why a chunk has no plain text, in plain words that quote nothing of it. */
interface DamagedChunk {
  kind: 'damaged';
  reason: string;
}

/** A chunk's plain text. */
export type UnwrappedChunk = { kind: 'plain'; text: string } | DamagedChunk;

/** The same in UTF-8. */
export type UnwrappedBytes = { kind: 'plain'; bytes: Buffer } | DamagedChunk;

/** Larger ones are decompressed off the event loop. Of the others that takes less than to parse them, and less than a thread's answer. */
const mostBytesAtOnce = 512 * 1_024;

const level = { [zlib.constants.ZSTD_c_compressionLevel]: 1 };
/** A frame that needs a larger window than the largest chunk is none of ours. */
const largestWindow = { [zlib.constants.ZSTD_d_windowLogMax]: Math.log2(mostCompressedBytes) };

const decompress = hasZstd ? promisify(zlib.zstdDecompress) : null;
const compress = hasZstd ? promisify(zlib.zstdCompress) : null;

/**
 * The door through which job data is read: the bytes of a plain chunk as they are, those of a compressed one decompressed. Any
 * other text is taken for a plain chunk, too. A large one is decompressed off the event loop.
 */
export async function unwrapChunk(text: string): Promise<UnwrappedBytes> {
  const chunk = readCompressedChunk(text);
  if (chunk === null) return { kind: 'plain', bytes: Buffer.from(text) };
  if (chunk.bytes <= mostBytesAtOnce || chunk.bytes > mostCompressedBytes || decompress === null)
    return decompressAtOnce(chunk);
  try {
    return toPlain(await decompress(Buffer.from(chunk.data, 'base64'), boundsOf(chunk.bytes)), chunk.bytes);
  } catch (error) {
    return notDecompressed(error);
  }
}

/** The text of a chunk, decompressed on the event loop, whatever the size. */
export function unwrapChunkAtOnce(text: string): UnwrappedChunk {
  const chunk = readCompressedChunk(text);
  if (chunk === null) return { kind: 'plain', text };
  const unwrapped = decompressAtOnce(chunk);
  return unwrapped.kind === 'plain' ? { kind: 'plain', text: unwrapped.bytes.toString() } : unwrapped;
}

function decompressAtOnce({ bytes, data }: CompressedChunk): UnwrappedBytes {
  if (bytes > mostCompressedBytes)
    return { kind: 'damaged', reason: `bytes: ${bytes} of plain text are more than ${mostCompressedBytes}` };
  if (!hasZstd) return { kind: 'damaged', reason: 'encoding: this Node has no zstd' };
  try {
    return toPlain(zlib.zstdDecompressSync(Buffer.from(data, 'base64'), boundsOf(bytes)), bytes);
  } catch (error) {
    return notDecompressed(error);
  }
}

/**
 * A chunk's text in a compressed envelope, which is made off the event loop. Null where that saves nothing, or this Node or the
 * text does not allow it.
 *
 * @param plain the text in UTF-8, which must not change until then
 * @param requestId of its first record, if its shard depends on it
 */
export async function wrapChunk(plain: Buffer, count: number, requestId: string | null = null): Promise<string | null> {
  if (compress === null || !isWorthCompressing(plain)) return null;
  return envelopeOf(plain, { count, requestId }, await compress(plain, frameOf(plain)));
}

/** As wrapChunk, on the event loop. The text as it is where it stays plain. */
export function wrapChunkAtOnce(plain: string, count: number, requestId: string | null = null): string {
  // Each character takes a byte at least.
  if (!hasZstd || plain.length > mostCompressedBytes) return plain;
  const bytes = Buffer.from(plain);
  if (!isWorthCompressing(bytes)) return plain;
  return envelopeOf(bytes, { count, requestId }, zlib.zstdCompressSync(bytes, frameOf(bytes))) ?? plain;
}

function isWorthCompressing(plain: Buffer): boolean {
  return plain.length >= leastCompressedBytes && plain.length <= mostCompressedBytes;
}

function envelopeOf(plain: Buffer, header: { count: number; requestId: string | null }, frame: Buffer): string | null {
  const head = readPlainHead(plain);
  if (head === null) return null;
  const text = writeCompressedChunk({
    origin: head.origin,
    ...header,
    bytes: plain.length,
    data: frame.toString('base64'),
  });
  return text.length < plain.length && readCompressedChunk(text) !== null ? text : null;
}

/** The frame tells its content's size, so that it is decompressed in one go. What comes out fits into one answer of zlib. */
function frameOf(bytes: Buffer): zlib.ZstdOptions {
  return {
    params: level,
    pledgedSrcSize: bytes.length,
    chunkSize: Math.max(leastCompressedBytes, Math.ceil(bytes.length / 8)),
  };
}

/** One byte more than declared has no room, so that a bomb ends where its declaration does. All fits into one answer of zlib. */
function boundsOf(bytes: number): zlib.ZstdOptions {
  return { maxOutputLength: Math.max(1, bytes), chunkSize: Math.max(64, bytes), params: largestWindow };
}

function toPlain(output: Buffer, bytes: number): UnwrappedBytes {
  if (output.length !== bytes)
    return { kind: 'damaged', reason: `bytes: the plain text has ${output.length}, not ${bytes}` };
  return { kind: 'plain', bytes: output };
}

function notDecompressed(error: unknown): DamagedChunk {
  const { code } = toError(error) as NodeJS.ErrnoException;
  const isTooLong = code === 'ERR_BUFFER_TOO_LARGE';
  return {
    kind: 'damaged',
    reason: isTooLong ? 'bytes: the plain text is longer' : `data: cannot be decompressed (${code ?? 'unknown error'})`,
  };
}
