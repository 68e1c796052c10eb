import { expect, test } from 'vitest';
import {
  type BoundedReadOptions,
  maxEntryBytes,
  readBounded,
} from '../../../../shared/platform/redis/bounded-stream-read.ts';
import { connectRedis, createHealthKeys } from '../../../support/health.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';

/** A stream with an entry for each list of fields, 1-0 and so on, and a way to read it. */
async function aStream(...entries: string[][]) {
  const { stream } = createHealthKeys();
  const redis = connectRedis();
  for (const [index, fields] of entries.entries()) await redis.xadd(stream, `${index + 1}-0`, ...fields);
  const read = (options: Partial<BoundedReadOptions> = {}) =>
    readBounded(redis, stream, { afterId: '0-0', maxEntries: 500, names: ['a', 'b'], wantsInfo: false, ...options });
  return { stream, redis, read };
}

const kib = (count: number): string => 'x'.repeat(count * 1_024);

test('a small entry comes as it is, with what nobody asked for and with what is there twice', async () => {
  const fields = ['c', kib(15), 'a', '1', 'a', '2'];
  const { read } = await aStream(fields);
  expect((await read()).entries).toEqual([{ id: '1-0', fields, cut: null }]);
});

test('of a large entry there are the fields that were asked for, and as many of the others as there is room for', async () => {
  const { read } = await aStream(
    ['c', '3', 'd', kib(300), 'e', '5', 'a', 'old', 'a', '1', 'b', '2'],
    ['d', kib(15), 'e', kib(15), 'a', '1'],
  );
  const [first, second] = (await read()).entries;
  expect(first).toEqual({
    id: '1-0',
    // Of a field that is there twice the last one counts, as everywhere.
    fields: ['c', '3', 'e', '5', 'a', '1', 'b', '2'],
    cut: { bytes: 300 * 1_024 + 13, tooLong: [] },
  });
  expect(second?.fields).toEqual(['d', kib(15), 'a', '1']);
});

test('a field that was asked for and has no room is named', async () => {
  const { read } = await aStream(['a', kib(20), 'c', '3', 'b', kib(17)]);
  const [entry] = (await read()).entries;
  expect(entry).toEqual({
    id: '1-0',
    fields: ['c', '3'],
    cut: {
      bytes: 37 * 1_024 + 4,
      tooLong: [
        { name: 'b', bytes: 17 * 1_024 },
        { name: 'a', bytes: 20 * 1_024 },
      ],
    },
  });
});

test('no entry is larger than it may be, whatever it is made of', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => `field ${index}`);
  const { read } = await aStream(
    many,
    ['a', kib(16), 'b', kib(16)],
    [kib(400), '', '', kib(400)],
    ['ä', 'ö'.repeat(9_000)],
  );
  for (const { fields } of (await read()).entries)
    expect(Buffer.byteLength(fields.join(''))).toBeLessThanOrEqual(maxEntryBytes);
});

test('read in pieces, every entry comes once and in order, also where large ones end a piece early', async () => {
  const entries = Array.from({ length: 60 }, (_, index) => [
    'a',
    String(index),
    'c',
    index % 3 === 0 ? kib(1_024) : '',
  ]);
  const { read } = await aStream(...entries);
  const pieces: string[][] = [];
  for (let afterId = '0-0', isAtEnd = false; !isAtEnd; ) {
    const piece = await read({ afterId, maxEntries: 40 });
    ({ isAtEnd } = piece);
    pieces.push(piece.entries.map(({ fields }) => String(fields[1])));
    afterId = piece.entries.at(-1)?.id ?? afterId;
  }
  expect(pieces.flat()).toEqual(entries.map(([, value]) => value));
  expect(pieces.length).toBeGreaterThan(2);
});

test('the end is told when it was reached, and not when only the number was', async () => {
  const { read } = await aStream(['a', '1'], ['a', '2']);
  expect((await read()).isAtEnd).toBe(true);
  expect((await read({ maxEntries: 2 })).isAtEnd).toBe(false);
  expect(await read({ afterId: '2-0' })).toMatchObject({ entries: [], isAtEnd: true });
});

test('ids alone, and what the server says of the stream, with ids in the place of entries', async () => {
  const { read } = await aStream(['a', kib(100)], ['a', kib(50)]);
  const { entries, info, infoBytes } = await read({ names: null, wantsInfo: true });
  expect(entries).toEqual([
    { id: '1-0', fields: [], cut: null },
    { id: '2-0', fields: [], cut: null },
  ]);
  expect(JSON.stringify(info).length).toBeLessThan(1_000);
  expect(info).toEqual(expect.arrayContaining(['length', 2, 'first-entry', '1-0', 'last-entry', '2-0']));
  expect(infoBytes).toBe(150 * 1_024 + 2);
});

test('a description that is dear comes alone, and the entries with the next read', async () => {
  const { read } = await aStream(['a', kib(9 * 1_024)], ['a', '2']);
  expect(await read({ wantsInfo: true })).toMatchObject({
    entries: [],
    isAtEnd: false,
    infoBytes: 9 * 1_024 * 1_024 + 3,
  });
  expect((await read()).entries).toHaveLength(1);
});

test('a stream that is not there, or is empty, and a key that is no stream', async () => {
  const { stream, redis, read } = await aStream();
  expect(await read({ wantsInfo: true })).toMatchObject({ entries: [], isAtEnd: true, info: null });
  await redis.xadd(stream, '1-0', 'a', '1');
  await redis.xdel(stream, '1-0');
  const { info } = await read({ wantsInfo: true });
  expect(info).toEqual(expect.arrayContaining(['length', 0, 'last-generated-id', '1-0', 'first-entry', null]));
  await redis.set(stream, 'text');
  await expect(read({ wantsInfo: true })).rejects.toThrow(/^WRONGTYPE/);
  await expect(read()).rejects.toThrow(/^WRONGTYPE/);
});

test('a user who may run scripts, but not as ones that only read, reads as well', async () => {
  const { url } = await startFragileRedis();
  const admin = connectRedis(url);
  await admin.xadd('s', '1-0', 'a', '1');
  await admin.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '+@all', '-eval_ro');
  const limited = new URL(url);
  Object.assign(limited, { username: 'limited', password: 'secret' });
  const redis = connectRedis(limited.href);
  const options = { afterId: '0-0', maxEntries: 5, names: null, wantsInfo: false };
  for (let time = 0; time < 2; time += 1) expect((await readBounded(redis, 's', options)).entries).toHaveLength(1);
});

test('while the server lets writers wait, as in a failover, a stream is read', async () => {
  const { url } = await startFragileRedis();
  const redis = connectRedis(url);
  await redis.xadd('s', '1-0', 'a', '1');
  await redis.call('CLIENT', 'PAUSE', '600000', 'WRITE');
  const options = { afterId: '0-0', maxEntries: 5, names: null, wantsInfo: true };
  expect((await readBounded(redis, 's', options)).entries).toHaveLength(1);
  await redis.call('CLIENT', 'UNPAUSE');
});

test('the server’s clock', async () => {
  const { redis, read } = await aStream();
  const [seconds] = await redis.time();
  expect(Math.abs((await read()).serverMs - Number(seconds) * 1_000)).toBeLessThan(60_000);
});
