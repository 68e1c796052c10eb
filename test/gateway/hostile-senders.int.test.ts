import { constants, createGzip, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { aGateway, anInput, aRequestInput, ndjson } from '../support/a-gateway.ts';
import { until } from '../support/fixtures.ts';
import { metricValue } from '../support/metric-value.ts';
import { openRaw, postHead } from '../support/raw-http.ts';

const mib = 1_048_576;

/** As much as `bytes` of one value, compressed by gzip without ever being there as a whole. */
async function gzipOf(value: number, bytes: number): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const part = Buffer.alloc(mib, value);
  for (let written = 0; written < bytes; written += mib)
    if (!gzip.write(part)) await new Promise((resolve) => gzip.once('drain', resolve));
  await new Promise<void>((resolve) => gzip.end(resolve));
  return Buffer.concat(chunks);
}

test('bombs: a small body that decompresses to a huge one is refused, whatever is in it', async () => {
  const { send, registry } = await aGateway();
  for (const value of [0x20, 0x0a, 0x7b]) {
    const bomb = await gzipOf(value, 100 * mib);
    expect(bomb.length).toBeLessThan(mib);
    const answer = await send('/v1/executions', bomb, { headers: { 'content-encoding': 'gzip' } });
    expect(answer).toMatchObject({ status: 413, body: { error: { code: 'too-large' } } });
  }
  const zeros = zstdCompressSync(Buffer.alloc(100 * mib));
  expect(zeros.length).toBeLessThan(100_000);
  const headers = { 'content-encoding': 'zstd' };
  expect((await send('/v1/executions', zeros, { headers })).status).toBe(413);
  const wide = zstdCompressSync(Buffer.alloc(20 * mib, 'abcdefg'), {
    params: { [constants.ZSTD_c_windowLog]: 24, [constants.ZSTD_c_contentSizeFlag]: 0 },
  });
  expect((await send('/v1/executions', wide, { headers })).status).toBe(400);
  // gzip within gzip is no record.
  const twice = gzipSync(await gzipOf(0x20, 100 * mib));
  expect((await send('/v1/executions', twice, { headers: { 'content-encoding': 'gzip' } })).status).toBe(400);
  expect(await metricValue(registry, 'sluice_gateway_unread_bytes')).toBe(0);
});

test('lines: one that is too long costs itself, and too many are refused', async () => {
  const { send, stored } = await aGateway();
  const long = JSON.stringify(anInput({ input: 'x'.repeat(2 * mib) }));
  const some = await send('/v1/executions', `${ndjson([anInput()])}${long}\n${ndjson([anInput()])}`);
  expect(some).toMatchObject({ status: 202, body: { accepted: 2, rejected: [{ index: 1, field: 'record' }] } });
  expect((await send('/v1/executions', long)).status).toBe(413);
  // JSON of one record may be as long as it likes, up to the limit of a body: its row is cut.
  expect((await send('/v1/executions', anInput({ input: 'x'.repeat(2 * mib) }))).status).toBe(202);
  expect((await send('/v1/executions', anInput({ input: 'x'.repeat(17 * mib) }))).status).toBe(413);
  expect((await send('/v1/executions', '1\n'.repeat(100_001))).status).toBe(413);
  expect((await stored()).length).toBe(3);
});

test('values: a body of millions of empty objects is refused unparsed, in every format and on every way', async () => {
  const { send, stored } = await aGateway();
  const many = '{},'.repeat(5_500_000);
  const json = { headers: { 'content-type': 'application/json' } };
  const list = await send('/v1/executions', `[${many}{}]`, json);
  expect(list).toMatchObject({
    status: 413,
    body: { error: { message: 'The body has more than 100000 records; send them in several bodies' } },
  });
  const reason = 'has more than 250000 JSON values; send what is large in it as text';
  const record = JSON.stringify(aRequestInput()).replace(/}$/, `,"requestBody":[${many}{}]}`);
  const one = await send('/v1/requests', record, json);
  expect(one).toMatchObject({ status: 413, body: { error: { message: `The body ${reason}` } } });
  const good = aRequestInput();
  const some = await send('/v1/requests', `[${JSON.stringify(good)},${record}]`, json);
  expect(some).toMatchObject({ status: 202, body: { accepted: 1, rejected: [{ index: 1, field: 'record', reason }] } });
  // A line has a limit of its own, which is less.
  const short = JSON.stringify(aRequestInput()).replace(/}$/, `,"requestBody":[${'{},'.repeat(300_000)}{}]}`);
  const line = `${short}\n${JSON.stringify(good)}\n`;
  const lines = await send('/v1/requests', line);
  expect(lines).toMatchObject({
    status: 202,
    body: { accepted: 1, rejected: [{ index: 0, field: 'record', reason }] },
  });
  // As text it is one value.
  const asText = aRequestInput({ requestBody: `[${many}{}]` });
  expect((await send('/v1/requests', asText)).status).toBe(202);
  expect((await stored('requests')).length).toBe(3);
});

test('a sender that asks first is told to go on only when its body is wanted', async () => {
  const { url } = await aGateway();
  const body = ndjson([anInput()]);
  const head = (...headers: string[]) => postHead('/v1/executions', `content-length: ${body.length}`, ...headers);
  const wanted = await openRaw(url);
  wanted.write(head('expect: 100-continue'));
  await wanted.seen('HTTP/1.1 100 Continue\r\n\r\n');
  wanted.write(body);
  await wanted.seen('{"accepted":1,"rejected":[]}');
  const unwanted = await openRaw(url);
  unwanted.write(head('expect: 100-continue', 'content-encoding: br'));
  expect(await unwanted.closed).toMatch(/^HTTP\/1.1 415 .*unsupported-encoding/s);
});

test('a body that is refused is not read to its end', async () => {
  const { url } = await aGateway();
  const endless = await openRaw(url);
  endless.write(postHead('/v1/executions', 'content-encoding: br', 'transfer-encoding: chunked'));
  let sent = 0;
  const chunk = Buffer.alloc(mib, 'x');
  const push = (): void => {
    while (!endless.socket.destroyed && endless.socket.writable) {
      sent += chunk.length;
      endless.write('100000\r\n');
      endless.write(chunk);
      if (!endless.socket.write('\r\n')) break;
    }
  };
  endless.socket.on('drain', push);
  push();
  expect(await endless.closed).toMatch(/^HTTP\/1.1 415 /);
  // What is on its way between the two is some MiB.
  expect(sent).toBeLessThan(64 * mib);
});

test('a body of which nothing comes any more is given up, and takes nothing with it', async () => {
  const { url, registry, stored } = await aGateway({}, { bodyIdleMs: 200 });
  const slow = await openRaw(url);
  slow.write(postHead('/v1/executions', 'content-length: 1000'));
  slow.write(`${ndjson([anInput()])}{"strategyId":`);
  expect(await slow.closed).toMatch(/^HTTP\/1.1 408 .*request-timeout/s);
  const gone = await openRaw(url);
  gone.write(postHead('/v1/executions', 'content-length: 1000', 'content-encoding: gzip'));
  gone.write(gzipSync(ndjson([anInput()])).subarray(0, 20));
  await until(async () => (await metricValue(registry, 'sluice_gateway_bodies')) === 1);
  gone.socket.destroy();
  await until(async () => (await metricValue(registry, 'sluice_gateway_bodies')) === 0);
  expect(await metricValue(registry, 'sluice_gateway_unread_bytes')).toBe(0);
  expect((await stored()).length).toBe(1);
});

test('senders of unfinished lines share a bounded memory, and one too many is told to come later', async () => {
  const { url, send, registry } = await aGateway();
  const half = Buffer.alloc(3 * mib, 'x');
  const greedy = await Promise.all(Array.from({ length: 40 }, () => openRaw(url)));
  for (const one of greedy) {
    one.write(postHead('/v1/requests', `content-length: ${4 * mib}`));
    one.write(half);
  }
  const [refused] = await until(async () => {
    const closed = greedy.filter(({ socket }) => socket.destroyed || socket.readableEnded);
    return closed.length > 0 && closed;
  });
  expect(await refused?.closed).toMatch(/^HTTP\/1.1 503 .*buffer-full/s);
  expect(await metricValue(registry, 'sluice_gateway_unread_bytes')).toBeLessThanOrEqual(128 * mib);
  for (const { socket } of greedy) socket.destroy();
  await until(async () => (await metricValue(registry, 'sluice_gateway_unread_bytes')) === 0);
  expect((await send('/v1/executions', anInput())).status).toBe(202);
});

test('a body that is larger than the buffer is taken as fast as Redis takes it, and so are others beside it', async () => {
  const { send, stored } = await aGateway({ DSL_EXECUTION_LOG_QUEUE_MAXSIZE: '10' });
  const body = ndjson(Array.from({ length: 200 }, () => anInput()));
  const answers = await Promise.all(Array.from({ length: 5 }, () => send('/v1/executions', body)));
  expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(202));
  expect((await stored()).length).toBe(1_000);
});

test('what is not HTTP, or has headers without end, is answered and closed', async () => {
  const { url } = await aGateway();
  const ask = async (text: string): Promise<string> => {
    const raw = await openRaw(url);
    raw.write(text);
    return raw.closed;
  };
  expect(await ask('hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*invalid-request.*HPE_INVALID_METHOD.*Content-Length/s);
  expect(await ask(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
  expect(await ask('POST /v1/executions HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 403 /,
  );
});

test('what is no HTTP behind a request does not take its answer away', async () => {
  const { url, stored } = await aGateway();
  const body = ndjson([anInput()]);
  const raw = await openRaw(url);
  raw.write(`${postHead('/v1/executions', `content-length: ${body.length}`)}${body}{"strategyId":"behind"}\r\n\r\n`);
  raw.write('and more');
  expect(await raw.closed).toMatch(/^HTTP\/1\.1 202 .*"accepted":1.*HTTP\/1\.1 400 .*HPE_INVALID_METHOD/s);
  expect(await stored()).toHaveLength(1);
  // A body that breaks off in the middle has no other answer, and gets this one at once.
  const broken = await openRaw(url);
  broken.write(`${postHead('/v1/executions', 'transfer-encoding: chunked')}5\r\n{"stra\r\nno size\r\n`);
  expect(await broken.closed).toMatch(/^HTTP\/1\.1 400 .*HPE_/s);
});

test('an address that cannot be read is refused as everything else is, and its body is not read', async () => {
  const { send, url } = await aGateway();
  const headers = { 'content-type': 'application/json' };
  const addresses = ['/v1/requests/%E0%A4%A/begin', `/v1/requests/${'a'.repeat(200)}/begin`, '/%'];
  for (const address of addresses) {
    const answer = await send(address, {}, { method: 'PUT', headers });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid-request' } } });
    expect(answer.body.error.message).toMatch(/^The address cannot be read/);
  }
  const raw = await openRaw(url);
  raw.write(postHead('/%', 'content-length: 1000000'));
  expect(await raw.closed).toMatch(/^HTTP\/1.1 400 .*The address cannot be read/s);
});
