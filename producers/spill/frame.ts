import { crc32 } from 'node:zlib';

/**
 * The format of chunks on disk. All numbers are little-endian.
 *
 * A segment begins with 16 bytes: the text `SLUICESP`, the version (u32), and the CRC-32 of these twelve bytes. Frames
 * follow, one for each chunk:
 *
 *     0  magic       4 bytes: FF 'S' 'F' and the version of the frame
 *     4  bodyBytes   u32, at most 64 MiB
 *     8  checksum    u32, CRC-32 of bodyBytes and the body
 *    12  body        records (u32), writtenAtMs (f64), length of the id (u16), id, data
 *
 * Frames are independent: after a broken one, the reader looks for the next magic. The body is UTF-8 text after fourteen
 * bytes. UTF-8 text never contains FF, so the data of a chunk is not mistaken for a magic.
 */
export interface SpilledChunk {
  /** the job id */
  id: string;
  /** the job data, as JSON */
  data: string;
  /** records in the chunk */
  records: number;
  /** ms since 1970 */
  writtenAtMs: number;
}

/** The version of segments and frames that this build writes and reads. */
export const segmentVersion = 1;

export const frameMagic = Buffer.from([0xff, 0x53, 0x46, segmentVersion]);
export const segmentHeaderBytes = 16;
export const frameHeaderBytes = 12;
/** No frame is larger. A length beyond it is broken and never allocated. */
export const maxBodyBytes = 64 * 1_048_576;

const segmentMagic = Buffer.from('SLUICESP');
const bodyFieldsBytes = 14;

export function encodeSegmentHeader(version: number = segmentVersion): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  segmentMagic.copy(header);
  header.writeUInt32LE(version, 8);
  header.writeUInt32LE(crc32(header.subarray(0, 12)), 12);
  return header;
}

/** The kind of a segment by its header: `damaged` if it is too short or its checksum is wrong. */
export type SegmentHeader = { kind: 'ours' } | { kind: 'newer'; version: number } | { kind: 'damaged' };

export function decodeSegmentHeader(bytes: Buffer): SegmentHeader {
  const isWhole =
    bytes.length >= segmentHeaderBytes &&
    segmentMagic.equals(bytes.subarray(0, 8)) &&
    crc32(bytes.subarray(0, 12)) === bytes.readUInt32LE(12);
  if (!isWhole) return { kind: 'damaged' };
  const version = bytes.readUInt32LE(8);
  return version > segmentVersion ? { kind: 'newer', version } : { kind: 'ours' };
}

/** @throws RangeError when the chunk is larger than a frame may be */
export function encodeFrame({ id, data, records, writtenAtMs }: SpilledChunk): Buffer {
  const idBytes = Buffer.byteLength(id);
  const bodyBytes = bodyFieldsBytes + idBytes + Buffer.byteLength(data);
  if (bodyBytes > maxBodyBytes)
    throw new RangeError(`a chunk of ${bodyBytes} bytes exceeds the maximum frame size (${maxBodyBytes})`);
  const frame = Buffer.allocUnsafe(frameHeaderBytes + bodyBytes);
  frameMagic.copy(frame);
  frame.writeUInt32LE(bodyBytes, 4);
  let at = frame.writeUInt32LE(records, frameHeaderBytes);
  at = frame.writeDoubleLE(writtenAtMs, at);
  at = frame.writeUInt16LE(idBytes, at);
  at += frame.write(id, at);
  frame.write(data, at);
  frame.writeUInt32LE(checksumOf(frame.subarray(4, 8), frame.subarray(frameHeaderBytes)), 8);
  return frame;
}

/** Returns the length of the body that follows, or null if these are not the first bytes of a frame. */
export function decodeBodyLength(header: Buffer): number | null {
  if (header.length < frameHeaderBytes || !frameMagic.equals(header.subarray(0, 4))) return null;
  const bodyBytes = header.readUInt32LE(4);
  return bodyBytes >= bodyFieldsBytes && bodyBytes <= maxBodyBytes ? bodyBytes : null;
}

/** Returns the chunk, or null if header and body are not what was written. */
export function decodeFrame(header: Buffer, body: Buffer): SpilledChunk | null {
  if (decodeBodyLength(header) !== body.length) return null;
  if (checksumOf(header.subarray(4, 8), body) !== header.readUInt32LE(8)) return null;
  const dataAt = bodyFieldsBytes + body.readUInt16LE(12);
  return {
    id: body.toString('utf8', bodyFieldsBytes, dataAt),
    data: body.toString('utf8', dataAt),
    records: body.readUInt32LE(0),
    writtenAtMs: body.readDoubleLE(4),
  };
}

function checksumOf(lengthField: Buffer, body: Buffer): number {
  return crc32(body, crc32(lengthField));
}
