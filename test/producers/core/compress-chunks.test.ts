import { setImmediate as nextTurn } from 'node:timers/promises';
import zlib from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { compressChunks } from '../../../producers/core/compress-chunks.ts';
import { OutgoingChunk } from '../../../producers/core/outgoing-chunk.ts';
import { requestIdOf, shardOfRequest } from '../../../producers/requests/request-shard.ts';
import { readCompressedChunk } from '../../../shared/contracts/compressed-chunk.ts';
import { unwrapChunkAtOnce } from '../../../shared/platform/chunk-compression.ts';
import { filler } from '../../support/compressed-chunk.ts';
import { anEntry } from '../../support/entry.ts';
import { until } from '../../support/fixtures.ts';

const plainOf = (seq: number, ...records: string[]) =>
  `{"v":1,"producer":"p","epoch":1,"life":"a","seq":${seq},"records":[${records.join(',\n')}]}`;

function aChunk(seq: number, ...records: string[]): OutgoingChunk {
  const entries = records.map((json) => anEntry({ json, bytes: Buffer.byteLength(json) }));
  return new OutgoingChunk({ v: 1, producer: 'p', epoch: 1, life: 'a', seq }, entries);
}

/** Keeps all threads of Node's pool busy for so long. */
function keepPoolBusy(bytes: number): Promise<unknown> {
  const large = Buffer.alloc(bytes, 'x');
  const slowly = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 19 }, chunkSize: bytes };
  return Promise.all(
    Array.from({ length: 8 }, () => new Promise((resolve) => zlib.zstdCompress(large, slowly, resolve))),
  );
}

test('compress chunks: large ones are, small ones stay, and there is nothing to wait for where all are small', async () => {
  const [large, small] = [aChunk(1, `"${filler}"`, '1'), aChunk(2, '1')];
  await compressChunks([large, small], null);
  expect(readCompressedChunk(large.data)).toMatchObject({ producer: 'p', count: 2, requestId: null });
  expect(unwrapChunkAtOnce(large.data)).toEqual({ kind: 'plain', text: plainOf(1, `"${filler}"`, '1') });
  expect(small.data).toBe(plainOf(2, '1'));
  expect(compressChunks([small], null)).toBeNull();
});

test('compress chunks: the shard of a compressed chunk of requests is that of its records', async () => {
  for (let index = 0; index < 100; index += 1) {
    const requestId = crypto.randomUUID().toUpperCase();
    const records = [JSON.stringify({ requestId, requestBody: filler }), '{"requestId":"another"}'];
    const chunk = aChunk(1, ...records);
    const before = shardOfRequest(plainOf(1, ...records), 256);
    await compressChunks([chunk], requestIdOf);
    expect(readCompressedChunk(chunk.data)?.requestId).toBe(requestId);
    expect(shardOfRequest(chunk.data, 256)).toBe(before);
  }
});

test('compress chunks: while the host keeps the thread pool busy they are sent plain, and do not change any more', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const busy = keepPoolBusy(4_000_000);
  const chunks = [1, 2, 3].map((seq) => aChunk(seq, `"${filler}"`));
  const plain = [1, 2, 3].map((seq) => plainOf(seq, `"${filler}"`));
  const compressing = compressChunks(chunks, null);
  let isDone = false;
  void compressing?.then(() => {
    isDone = true;
  });
  await nextTurn();
  expect(isDone).toBe(false);
  vi.advanceTimersByTime(500);
  await compressing;
  vi.useRealTimers();
  expect(chunks.map(({ data }) => data)).toEqual(plain);
  await busy;
  const later = aChunk(4, `"${filler}"`);
  await until(async () => {
    await compressChunks([later], null);
    return readCompressedChunk(later.data) !== null;
  });
  expect(chunks.map(({ data }) => data)).toEqual(plain);
});
