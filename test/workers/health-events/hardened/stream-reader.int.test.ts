import { expect, test } from 'vitest';
import { createStreamReader } from '../../../../workers/health-events/hardened/stream-reader.ts';
import { until } from '../../../support/fixtures.ts';
import { addEvent, connectRedis } from '../../../support/health.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';

const mib = 1_024 * 1_024;

/** On a Redis of its own, which such entries keep busy, and which keeps nothing on disk. */
async function aReader() {
  const { url } = await startFragileRedis();
  const stream = 'a stream';
  const redis = connectRedis(url);
  await redis.config('SET', 'appendonly', 'no');
  const connection = connectRedis(url);
  return { stream, redis, connection, reader: createStreamReader(connection, stream) };
}

test('what the stream is like comes with each read, and less often when that is dear', async () => {
  const { stream, redis, reader } = await aReader();
  await addEvent(redis, stream);
  expect((await reader.read('0-0', 10)).facts).toMatchObject({ length: 1 });
  expect((await reader.read('0-0', 10)).facts).toMatchObject({ length: 1 });
  await addEvent(redis, stream, { details: 'x'.repeat(64 * mib) });
  const dear = await until(async () => {
    const { facts } = await reader.read('0-0', 10);
    return facts?.length === 2 ? facts : null;
  });
  expect(dear.entriesAdded).toBe(2);
  const { facts, entries } = await reader.read('0-0', 10);
  expect(facts).toBeUndefined();
  expect(entries).toHaveLength(2);
});

test('waiting ends with the next entry, and takes in only the beginning of a large one', async () => {
  const { stream, redis, connection, reader } = await aReader();
  const small = reader.wait('0-0', 10_000);
  const first = await addEvent(redis, stream);
  expect(await small).toBe('game-1');
  const received = connection.stream.bytesRead;
  const large = reader.wait(first, 10_000);
  const { stream: socket } = connection;
  await addEvent(redis, stream, { details: 'x'.repeat(64 * mib) });
  expect(await large).toBe(null);
  expect(socket.bytesRead - received).toBeLessThan(4 * mib);
  expect(connection.status).toBe('end');
  await connection.connect();
  // The first answer may be what the stream is like, and nothing else.
  await until(async () => (await reader.read(first, 10)).entries.length === 1);
});

test('waiting ends without an entry when the time is over', async () => {
  const { reader, connection } = await aReader();
  expect(await reader.wait('0-0', 1)).toBe(null);
  expect(connection.status).toBe('ready');
});
