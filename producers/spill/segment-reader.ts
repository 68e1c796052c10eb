import { open } from 'node:fs/promises';
import {
  decodeBodyLength,
  decodeFrame,
  decodeSegmentHeader,
  frameHeaderBytes,
  frameMagic,
  type SpilledChunk,
  segmentHeaderBytes,
} from './frame.ts';

/** A part of a segment. */
export type SegmentPart =
  | { kind: 'chunk'; chunk: SpilledChunk; bytes: number }
  /** contiguous bytes that are no intact frame */
  | { kind: 'corrupt'; bytes: number }
  /** a newer version wrote the segment; nothing of it is read */
  | { kind: 'newer'; version: number; bytes: number };

/** Bytes with random access. */
export interface ByteSource {
  size: number;
  /** Returns as many of the bytes as there are. */
  read(from: number, bytes: number): Promise<Buffer>;
}

const windowBytes = 65_536;

/** Broken frames may have a wrong length. Reading in vain ends after so many times the size of the segment. */
const maxWaste = 4;

/**
 * Reads a segment file, at most one chunk at a time in memory.
 *
 * @param bytes anything after them is ignored
 * @throws when the file cannot be opened or read
 */
export async function* readSegmentFile(path: string, bytes: number): AsyncGenerator<SegmentPart, void> {
  const file = await open(path, 'r');
  try {
    const size = Math.min(bytes, (await file.stat()).size);
    yield* readSegment({
      size,
      async read(from, bytes) {
        const wanted = Math.max(0, Math.min(bytes, size - from));
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, from);
        return buffer.subarray(0, bytesRead);
      },
    });
  } finally {
    await file.close();
  }
}

/**
 * Yields every intact frame of a segment in order, whatever else is in it. After a broken frame or segment header it goes on
 * at the next frame. Throws only what `source` throws.
 */
export async function* readSegment(source: ByteSource): AsyncGenerator<SegmentPart, void> {
  const header = decodeSegmentHeader(await source.read(0, segmentHeaderBytes));
  if (header.kind === 'newer') {
    yield { kind: 'newer', version: header.version, bytes: source.size };
    return;
  }
  let at = header.kind === 'ours' ? segmentHeaderBytes : 0;
  let brokenFrom: number | null = null;
  let wasteLeft = source.size * maxWaste;

  while (at < source.size && wasteLeft >= 0) {
    const frame = await readFrame(source, at);
    if (frame.chunk === null) {
      wasteLeft -= frame.bytes;
      brokenFrom ??= at;
      at = await findMagic(source, at + 1);
      continue;
    }
    if (brokenFrom !== null) yield { kind: 'corrupt', bytes: at - brokenFrom };
    brokenFrom = null;
    yield { kind: 'chunk', chunk: frame.chunk, bytes: frame.bytes };
    at += frame.bytes;
  }
  if (brokenFrom !== null) yield { kind: 'corrupt', bytes: source.size - brokenFrom };
}

/** Reads the frame that begins there. If it is none, there is no chunk, and `bytes` says how much was read to find out. */
async function readFrame(source: ByteSource, at: number): Promise<{ chunk: SpilledChunk | null; bytes: number }> {
  const header = await source.read(at, frameHeaderBytes);
  const bodyBytes = decodeBodyLength(header);
  if (bodyBytes === null || at + frameHeaderBytes + bodyBytes > source.size)
    return { chunk: null, bytes: header.length };
  const body = await source.read(at + frameHeaderBytes, bodyBytes);
  return { chunk: decodeFrame(header, body), bytes: frameHeaderBytes + bodyBytes };
}

/** Returns where the next frame may begin, or the end. */
async function findMagic(source: ByteSource, from: number): Promise<number> {
  // Windows overlap, so that a magic across their boundary is found.
  for (let at = from; at < source.size; at += windowBytes - frameMagic.length + 1) {
    const found = (await source.read(at, windowBytes)).indexOf(frameMagic);
    if (found >= 0) return at + found;
  }
  return source.size;
}
