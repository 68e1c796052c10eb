import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  leastCompressedBytes,
  mostCompressedBytes,
  readCompressedChunk,
  writeCompressedChunk,
} from '../../../shared/contracts/compressed-chunk.ts';
import { parseChunk } from '../../../shared/contracts/parse-chunk.ts';
import {
  unwrapChunk,
  unwrapChunkAtOnce,
  wrapChunk,
  wrapChunkAtOnce,
} from '../../../shared/platform/chunk-compression.ts';
import { chunkOfJob } from '../../../shared/platform/chunk-of-job.ts';

const origin = '"producer":"host-1","epoch":1700000000000,"life":"9f2c4e01ab","seq":7';
const chunkOf = (...records: string[]): string => `{"v":1,${origin},"records":[${records.join(',')}]}`;
const filler = '{"a":1.0}'.repeat(200);
const plain = chunkOf(`{"n":12345678901234567890,"é":"日\\u0000","filler":${JSON.stringify(filler)}}`, '{"b":2}');
const mib = 1_048_576;

/** An envelope that says what it is told to. */
const envelope = (data: Buffer | string, bytes: number): string =>
  writeCompressedChunk({
    ...{ origin, requestId: null, count: 1, bytes },
    data: typeof data === 'string' ? data : data.toString('base64'),
  });
/** A chunk as it is sent. */
const wrapLater = async (text: string, count: number) => (await wrapChunk(Buffer.from(text), count)) ?? text;
const bothWays = async (text: string) => {
  const [bytes, other] = [await unwrapChunk(text), unwrapChunkAtOnce(text)];
  const one = bytes.kind === 'plain' ? { kind: 'plain', text: bytes.bytes.toString() } : bytes;
  expect(one).toEqual(other);
  return other;
};

test('compression: the plain text comes out as it went in, to the last digit, and the envelope names its producer', async () => {
  const text = await wrapLater(plain, 2);
  expect(text).toBe(wrapChunkAtOnce(plain, 2));
  expect(text.length).toBeLessThan(plain.length / 4);
  expect(
    text.startsWith(`{"v":3,${origin},"encoding":"zstd","count":2,"bytes":${Buffer.byteLength(plain)},"data":"`),
  ).toBe(true);
  expect(JSON.parse(text)).toMatchObject({ v: 3, producer: 'host-1', seq: 7, count: 2 });
  expect(await bothWays(text)).toEqual({ kind: 'plain', text: plain });
  expect(chunkOfJob({ data: JSON.parse(text) })).toMatchObject({ v: 1, seq: 7, records: [{}, { b: 2 }] });
});

test('compression: any text of records comes out as it went in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 20 }), async (texts) => {
      const chunk = chunkOf(...texts.map((text) => JSON.stringify({ text, filler })));
      expect(await bothWays(await wrapLater(chunk, texts.length))).toEqual({ kind: 'plain', text: chunk });
    }),
  );
});

test('compression: what is small, does not get smaller or is not written as the SDK writes it stays plain', async () => {
  const tooSmall = chunkOf(`"${'x'.repeat(leastCompressedBytes - 1 - chunkOf('""').length)}"`);
  const largeEnough = tooSmall.replace('x"', 'xx"');
  const random = chunkOf(`"${randomBytes(4_000).toString('base64')}"`);
  for (const text of [tooSmall, random, plain.replace('"v":1', '"v": 1'), plain.replace('host-1', 'hőst')]) {
    expect(await wrapLater(text, 1)).toBe(text);
    expect(wrapChunkAtOnce(text, 1)).toBe(text);
    expect(await bothWays(text)).toEqual({ kind: 'plain', text });
  }
  expect(readCompressedChunk(await wrapLater(largeEnough, 1))?.bytes).toBe(leastCompressedBytes);
});

test('compression: one larger than is ever decompressed stays plain', async () => {
  const huge = chunkOf(`"${'x'.repeat(mostCompressedBytes)}"`);
  expect(await wrapChunk(Buffer.from(huge), 1)).toBeNull();
  expect(wrapChunkAtOnce(huge, 1) === huge).toBe(true);
});

test('compression: a large chunk is decompressed while the event loop goes on', async () => {
  const text = wrapChunkAtOnce(chunkOf(`"${'x'.repeat(32 * mib)}"`), 1);
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 1);
  const unwrapping = unwrapChunk(text);
  expect(turns).toBe(0);
  const { kind } = await unwrapping;
  clearInterval(counting);
  expect(kind).toBe('plain');
  expect(turns).toBeGreaterThan(0);
});

const bomb = zlib.zstdCompressSync(Buffer.alloc(80 * mib, 'x'));
const small = zlib.zstdCompressSync(Buffer.from(plain));
const bytes = Buffer.byteLength(plain);
const wide = zlib.zstdCompressSync(Buffer.alloc(2 * mib, 'x'), {
  params: { [zlib.constants.ZSTD_c_windowLog]: 27, [zlib.constants.ZSTD_c_contentSizeFlag]: 0 },
});

test.each<[how: string, text: string, reason: RegExp]>([
  [
    'declares more than there may be',
    envelope(bomb, 80 * mib),
    /^bytes: 83886080 of plain text are more than 67108864$/,
  ],
  ['is a bomb behind a small size', envelope(bomb, 2_000), /^bytes: the plain text is longer$/],
  ['is a bomb behind a large size', envelope(bomb, 60 * mib), /^bytes: the plain text is longer$/],
  ['is one byte longer', envelope(small, bytes - 1), /^bytes: the plain text is longer$/],
  ['is one byte shorter', envelope(small, bytes + 1), /^bytes: the plain text has \d+, not \d+$/],
  ['declares nothing', envelope(small, 0), /^bytes: the plain text is longer$/],
  ['is cut off', envelope(small.subarray(0, -9), bytes), /^data: cannot be decompressed \(Z_BUF_ERROR\)$/],
  ['is cut off at once', envelope('', bytes), /^data: cannot be decompressed \(Z_BUF_ERROR\)$/],
  [
    'is no frame',
    envelope(Buffer.from('what their record says'), bytes),
    /^data: cannot be decompressed \(ZSTD_\w+\)$/,
  ],
  ['is no base64', envelope('!!!', bytes), /^data: cannot be decompressed/],
])('compression: a chunk that %s is damaged, and the reason quotes nothing', async (_how, text, reason) => {
  expect(await bothWays(text)).toEqual({ kind: 'damaged', reason: expect.stringMatching(reason) });
});

test('compression: a frame that asks for more memory than the largest chunk has is not read', async () => {
  const frame = zlib.zstdCompressSync(Buffer.alloc(2 * mib, 'x'));
  // The window of a frame without a content size, in the byte behind the magic and the descriptor: 2^(10 + 20).
  const asking = Buffer.concat([frame.subarray(0, 4), Buffer.from([0, 20 << 3]), wide.subarray(6)]);
  expect(await bothWays(envelope(asking, 2 * mib))).toEqual({
    kind: 'damaged',
    reason: 'data: cannot be decompressed (ZSTD_error_frameParameter_windowTooLarge)',
  });
});

test('compression: a compressed chunk in another one is none', async () => {
  const inner = wrapChunkAtOnce(chunkOf(`"${randomBytes(4_000).toString('hex')}"`), 1);
  const outer = envelope(zlib.zstdCompressSync(Buffer.from(inner)), inner.length);
  expect(await bothWays(outer)).toEqual({ kind: 'plain', text: inner });
  expect(parseChunk(JSON.parse(inner))).toMatchObject({
    kind: 'malformed',
    reason: expect.stringMatching(/^v: 3 is of/),
  });
});

test.each([
  ['with spaces', (text: string) => text.replace('"v":3', '"v": 3')],
  ['in another order', (text: string) => text.replace(/"count":(\d+),"bytes":(\d+)/, '"bytes":$2,"count":$1')],
  ['of another encoding', (text: string) => text.replace('zstd', 'gzip')],
  ['with more behind it', (text: string) => `${text} `],
  ['with a size beyond all numbers', (text: string) => text.replace(/"bytes":\d+/, '"bytes":12345678901')],
])('compression: an envelope %s is none, and what is in it is no chunk', async (_how, change) => {
  const text = change(wrapChunkAtOnce(plain, 2));
  expect(await bothWays(text)).toEqual({ kind: 'plain', text });
  expect(parseChunk(JSON.parse(text))).toMatchObject({ kind: 'malformed' });
});
