import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeBodyLength,
  decodeSegmentHeader,
  encodeFrame,
  encodeSegmentHeader,
  frameHeaderBytes,
  frameMagic,
  maxBodyBytes,
  type SpilledChunk,
  segmentHeaderBytes,
  segmentVersion,
} from '../../../producers/spill/frame.ts';
import { readSegment, type SegmentPart } from '../../../producers/spill/segment-reader.ts';

/** Reads a segment that is in memory, and notes how much it was asked for at once. */
async function read(bytes: Buffer): Promise<{ parts: SegmentPart[]; largestRead: number }> {
  const parts: SegmentPart[] = [];
  let largestRead = 0;
  const source = {
    size: bytes.length,
    async read(from: number, wanted: number) {
      largestRead = Math.max(largestRead, wanted);
      return bytes.subarray(from, from + wanted);
    },
  };
  for await (const part of readSegment(source)) parts.push(part);
  return { parts, largestRead };
}

const chunksOf = (parts: SegmentPart[]): SpilledChunk[] =>
  parts.flatMap((part) => (part.kind === 'chunk' ? [part.chunk] : []));
const bytesOf = (parts: SegmentPart[]): number => parts.reduce((sum, { bytes }) => sum + bytes, 0);

const aChunk = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}\.\d{1,13}\.\d{1,6}$/),
  data: fc.oneof(
    fc.json(),
    fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => JSON.stringify({ text })),
  ),
  records: fc.nat({ max: 10_000 }),
  writtenAtMs: fc.nat({ max: 4_102_444_800_000 }),
});
const someChunks = fc.array(aChunk, { minLength: 1, maxLength: 6 });

/** A segment, and where each of its frames ends. */
function aSegment(chunks: readonly SpilledChunk[]): { bytes: Buffer; ends: number[] } {
  const frames = chunks.map(encodeFrame);
  const ends: number[] = [];
  let at = segmentHeaderBytes;
  for (const { length } of frames) {
    at += length;
    ends.push(at);
  }
  return { bytes: Buffer.concat([encodeSegmentHeader(), ...frames]), ends };
}

const three: SpilledChunk[] = ['a', 'b', 'c'].map((name, index) => ({
  id: `${name}.1.${index}`,
  data: JSON.stringify({ v: 1, records: [{ name: name.repeat(40), text: 'ü€𝄞' }] }),
  records: index + 1,
  writtenAtMs: 1_700_000_000_000 + index,
}));

test('segment: what was written comes back, in order', async () => {
  await fc.assert(
    fc.asyncProperty(someChunks, async (chunks) => {
      const { parts } = await read(aSegment(chunks).bytes);
      expect(parts.every(({ kind }) => kind === 'chunk')).toBe(true);
      expect(chunksOf(parts)).toEqual(chunks);
    }),
  );
});

test('segment: cut off anywhere, it gives the frames before the cut, and says how much is behind them', async () => {
  const { bytes, ends } = aSegment(three);
  for (let length = 0; length <= bytes.length; length += 1) {
    const { parts } = await read(bytes.subarray(0, length));
    const intact = ends.filter((end) => end <= length).length;
    expect(chunksOf(parts), `cut at ${length}`).toEqual(three.slice(0, intact));
    const header = length >= segmentHeaderBytes ? segmentHeaderBytes : 0;
    expect(bytesOf(parts) + header, `cut at ${length}`).toBe(length);
  }
});

test('segment: with any one bit turned, it gives all other frames', async () => {
  const { bytes, ends } = aSegment(three);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const at = bit >> 3;
    const broken = Buffer.from(bytes);
    broken.writeUInt8(broken.readUInt8(at) ^ (1 << (bit & 7)), at);
    const hit = at < segmentHeaderBytes ? -1 : ends.findIndex((end) => at < end);
    const { parts } = await read(broken);
    expect(chunksOf(parts), `bit ${bit}`).toEqual(three.filter((_chunk, index) => index !== hit));
  }
});

test('segment: with many bits turned, it gives every frame that was not hit', async () => {
  await fc.assert(
    fc.asyncProperty(
      someChunks,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 10 }),
      async (chunks, flips) => {
        const { bytes, ends } = aSegment(chunks);
        const original = Buffer.from(bytes);
        for (const [where, mask] of flips) {
          const at = where % bytes.length;
          bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
        }
        const intact = chunks.filter((_chunk, index) => {
          const from = index === 0 ? segmentHeaderBytes : ends[index - 1];
          return original.subarray(from, ends[index]).equals(bytes.subarray(from, ends[index]));
        });
        expect(chunksOf((await read(bytes)).parts)).toEqual(intact);
      },
    ),
  );
});

test('segment: garbage between frames, and instead of everything, is skipped and measured', async () => {
  await fc.assert(
    fc.asyncProperty(
      someChunks,
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
      async (chunks, junk) => {
        const pieces = chunks.flatMap((chunk, index) => [encodeFrame(chunk), Buffer.from(junk[index] ?? [])]);
        const { parts } = await read(Buffer.concat([encodeSegmentHeader(), ...pieces]));
        expect(chunksOf(parts)).toEqual(chunks);
        expect(bytesOf(parts)).toBe(pieces.reduce((sum, { length }) => sum + length, 0));
      },
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (junk) => {
      const { parts } = await read(Buffer.from(junk));
      expect(chunksOf(parts)).toEqual([]);
      expect(bytesOf(parts)).toBe(junk.length);
    }),
  );
});

test('segment: a frame is found behind garbage that is longer than one look', async () => {
  const junk = Buffer.alloc(65_536 + 65_533 - segmentHeaderBytes, 0xff);
  const frames = three.map(encodeFrame);
  for (const shift of [0, 1, 2, 3, 4]) {
    const bytes = Buffer.concat([encodeSegmentHeader(), junk.subarray(shift), ...frames]);
    expect(chunksOf((await read(bytes)).parts), `shift ${shift}`).toEqual(three);
  }
});

test.each([
  ['0', 0],
  ['1', 1],
  ['larger than a frame may be', maxBodyBytes + 1],
  ['4 GiB', 0xffff_ffff],
  ['behind the end of the file', 1_000_000],
])('segment: a length of %s is not believed, and nothing of that size is read', async (_name, length) => {
  const { bytes } = aSegment(three);
  bytes.writeUInt32LE(length, segmentHeaderBytes + 4);
  const { parts, largestRead } = await read(bytes);
  expect(chunksOf(parts)).toEqual(three.slice(1));
  expect(largestRead).toBeLessThanOrEqual(65_536);
});

test('segment: nothing but beginnings of long frames is given up after reading a few times its size', async () => {
  const header = Buffer.alloc(frameHeaderBytes);
  frameMagic.copy(header);
  header.writeUInt32LE(500_000, 4);
  const bytes = Buffer.alloc(1_200_000, header);
  const { parts } = await read(bytes);
  expect(parts).toEqual([{ kind: 'corrupt', bytes: bytes.length }]);
});

test('segment: one of a newer version is left alone, one with a damaged version is read', async () => {
  const frames = Buffer.concat(three.map(encodeFrame));
  const newer = Buffer.concat([encodeSegmentHeader(segmentVersion + 1), frames]);
  expect((await read(newer)).parts).toEqual([{ kind: 'newer', version: segmentVersion + 1, bytes: newer.length }]);
  const damaged = Buffer.concat([encodeSegmentHeader(), frames]);
  damaged.writeUInt32LE(segmentVersion + 1, 8);
  expect(chunksOf((await read(damaged)).parts)).toEqual(three);
  expect(decodeSegmentHeader(Buffer.alloc(0))).toEqual({ kind: 'damaged' });
});

test('frame: a chunk larger than a frame may be is refused', () => {
  const chunk = { id: 'a.1.1', data: 'x'.repeat(maxBodyBytes), records: 1, writtenAtMs: 0 };
  expect(() => encodeFrame(chunk)).toThrow(RangeError);
  expect(decodeBodyLength(Buffer.alloc(4))).toBeNull();
});
