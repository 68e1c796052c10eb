import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import protobuf from 'protobufjs/light.js';
import { expect, test } from 'vitest';
import { findRequestProblem } from '../../../shared/contracts/completed-request-schema.ts';
import { aGateway } from '../../support/a-gateway.ts';
import { createDirectory } from '../../support/fixtures.ts';
import { metricValue } from '../../support/metric-value.ts';
import { aJsonSpan, anExport, modelRequest } from '../../support/otlp.ts';
import { aTokensFile } from '../../support/tokens-file.ts';

const protobufType = 'application/x-protobuf';

/** Sends bytes, and returns the answer with its bytes. */
async function sendBytes(url: string, body: Uint8Array, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': protobufType, ...headers },
    body: new Uint8Array(body),
  });
  return { status: answer.status, headers: answer.headers, bytes: new Uint8Array(await answer.arrayBuffer()) };
}

/** A field of a message that has a length. */
function lengthDelimited(id: number, content: Uint8Array | string): Uint8Array {
  const writer = protobuf.Writer.create().uint32(id * 8 + 2);
  return (typeof content === 'string' ? writer.string(content) : writer.bytes(content)).finish();
}

/** An export of one resource and scope with these encoded spans. */
const exportOf = (spans: readonly Uint8Array[]) =>
  lengthDelimited(1, lengthDelimited(2, Buffer.concat(spans.map((span) => lengthDelimited(2, span)))));

const spanIds = (count: number) => Array.from({ length: count }, (_, n) => (n + 1).toString(16).padStart(16, '0'));

test('otlp: what is answered with 200 is in Redis, and a repetition has the same ids', async () => {
  const { send, stored } = await aGateway();
  const body = anExport(spanIds(3).map((spanId) => aJsonSpan(modelRequest, { spanId })));
  for (let time = 0; time < 2; time += 1) {
    const answer = await send('/v1/traces', body);
    expect([answer.status, answer.body]).toEqual([200, {}]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  }
  const records = await stored('requests');
  expect(records.map(findRequestProblem)).toEqual(Array(6).fill(null));
  const ids = records.map(({ requestId }) => requestId);
  expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  expect(new Set(ids).size).toBe(3);
});

test('otlp: other spans and bad ones are counted, and do not keep the others from being stored', async () => {
  const { send, stored, registry } = await aGateway();
  const [first, second, third] = spanIds(3) as [string, string, string];
  const spans = [
    aJsonSpan(modelRequest, { spanId: first }),
    aJsonSpan({ 'http.request.method': 'GET' }, { spanId: second }),
    aJsonSpan(modelRequest, { spanId: third, startTimeUnixNano: 'yesterday' }),
    aJsonSpan(modelRequest, { traceId: '0'.repeat(32) }),
    null,
  ];
  expect(await send('/v1/traces', anExport(spans))).toMatchObject({
    status: 200,
    body: {
      partialSuccess: {
        rejectedSpans: '4',
        errorMessage:
          '4 of 5 spans are not stored: 2 are no requests to models (gen_ai.*); 2 are refused, the first because startTimeUnixNano is missing, or is no number of ns',
      },
    },
  });
  expect((await stored('requests')).map(({ spanId }) => spanId)).toEqual([first]);
  expect(
    await metricValue(registry, 'sluice_gateway_records_total', {
      sender: 'anonymous',
      kind: 'requests',
      outcome: 'ignored',
    }),
  ).toBe(2);
  // None of them is an error, even if it is all that there is.
  expect((await send('/v1/traces', anExport(spans.slice(1)))).status).toBe(200);
  expect(await send('/v1/traces', {})).toMatchObject({ status: 200, body: {} });
});

test('otlp: bodies that are none are refused with a status in their own format', async () => {
  const { send, url, stored } = await aGateway();
  const json = { headers: { 'content-type': 'application/json' } };
  for (const body of ['', '[]', '7', '{', '{"resourceSpans":{}}', '{"resourceSpans":[{"scopeSpans":[{"spans":7}]}]}']) {
    const { status, body: answer } = await send('/v1/traces', body, json);
    expect([status, Object.keys(answer)], body).toEqual([400, ['message']]);
  }
  for (const body of [Buffer.from('{}'), Buffer.from([0x0a]), Buffer.from([0x0a, 0x05, 1]), Buffer.alloc(64, 0xff)]) {
    const { status, headers, bytes } = await sendBytes(url, body);
    expect([status, headers.get('content-type')]).toEqual([400, protobufType]);
    expect(Buffer.from(bytes)).toEqual(lengthDelimited(2, 'The body is no ExportTraceServiceRequest in protobuf'));
  }
  expect((await sendBytes(url, Buffer.alloc(0))).bytes.length).toBe(0);
  expect((await send('/v1/traces', 'a', { headers: { 'content-type': 'application/x-ndjson' } })).status).toBe(415);
  expect((await sendBytes(url, Buffer.alloc(10), { 'content-encoding': 'gzip' })).status).toBe(400);
  expect((await sendBytes(url, gzipSync(Buffer.alloc(20 * 1_048_576)), { 'content-encoding': 'gzip' })).status).toBe(
    413,
  );
  expect(await stored('requests')).toEqual([]);
});

test('otlp: hostile spans cost themselves, and no memory', async () => {
  const { send, url, registry } = await aGateway({ SLUICE_MAX_BODY_BYTES: '1024' });
  // 4 million spans of no bytes, and as many groups
  const many = Buffer.alloc(8_000_000, Buffer.from([0x12, 0x00]));
  expect((await sendBytes(url, lengthDelimited(1, lengthDelimited(2, many)))).status).toBe(413);
  expect((await sendBytes(url, Buffer.alloc(8_000_000, Buffer.from([0x0a, 0x00])))).status).toBe(413);
  // a span that is too large, one that is cut, and values within values
  let deep: Uint8Array = lengthDelimited(1, 'x');
  for (let depth = 0; depth < 5_000; depth += 1) deep = lengthDelimited(5, lengthDelimited(1, deep));
  const attribute = (value: Uint8Array) =>
    lengthDelimited(9, Buffer.concat([lengthDelimited(1, 'gen_ai.request.model'), lengthDelimited(2, value)]));
  const spans = [lengthDelimited(5, 'x'.repeat(100_000)), Buffer.from([0x0a, 0x50]), attribute(deep)];
  const refused = await sendBytes(url, exportOf(spans));
  expect(refused.status).toBe(200);
  expect(Buffer.from(refused.bytes).toString()).toContain('3 of 3 spans are not stored: 3 are refused');

  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const text = JSON.stringify(
    anExport([
      aJsonSpan({ ...modelRequest, 'gen_ai.input.messages': nested(200_000) }),
      aJsonSpan({ ...modelRequest, '__proto__.x': 1, 'gen_ai.request.__proto__': 'x', 'gen_ai.usage.constructor': 1 }),
      aJsonSpan({ ...modelRequest, 'gen_ai.input.messages': `\0${'\ud800'}${'x'.repeat(5_000)}` }),
      { ...aJsonSpan(modelRequest), attributes: { length: 3 }, events: 'no', status: [] },
    ]),
  );
  const json = { headers: { 'content-type': 'application/json' } };
  expect((await send('/v1/traces', text, json)).status).toBe(200);
  const wild = text.replace('"stringValue":"gpt-5"', `"arrayValue":{"values":${nested(50_000)}}`);
  expect((await send('/v1/traces', wild, json)).status).toBe(200);
  expect(await metricValue(registry, 'sluice_gateway_unread_bytes')).toBe(0);
});

test('otlp: a token needs the scope requests, and its one creator owns what it sends', async () => {
  const { path, tokens } = await aTokensFile([
    { name: 'scoring', scopes: ['executions'] },
    { name: 'llm', scopes: ['requests'], creators: ['acme'] },
    { name: 'several', scopes: ['requests'], creators: ['acme', 'zeta'] },
    { name: 'limited', scopes: ['requests'], recordsPerSecond: 1 },
  ]);
  const { send, url, stored } = await aGateway({ SLUICE_GATEWAY_TOKENS_FILE: path });
  const from = (name: string) => ({ token: tokens[name] as string });
  const body = anExport([aJsonSpan({ ...modelRequest, 'user.id': 'eve' })]);
  expect(await send('/v1/traces', body)).toMatchObject({ status: 401, body: { message: expect.any(String) } });
  expect((await send('/v1/traces', body, from('scoring'))).status).toBe(403);
  expect((await sendBytes(url, Buffer.alloc(0))).headers.get('content-type')).toBe(protobufType);
  expect((await send('/v1/traces', body, from('llm'))).body).toEqual({});
  expect((await send('/v1/traces', body, from('several'))).body.partialSuccess.errorMessage).toContain('createdBy');
  expect(await stored('requests')).toMatchObject([{ createdBy: 'acme', notes: 'sender: llm' }]);

  const ids = spanIds(500);
  await send('/v1/traces', anExport(ids.map((spanId) => aJsonSpan(modelRequest, { spanId }))), from('limited'));
  const later = await send('/v1/traces', body, from('limited'));
  expect([later.status, Number(later.headers.get('retry-after')) > 0]).toEqual([429, true]);
});

test('otlp: while Redis is away the sender is told to come again', async () => {
  const { url } = await aGateway({ REDIS_URL: 'redis://127.0.0.1:1' });
  const { send } = await aGateway({ REDIS_URL: 'redis://127.0.0.1:1' });
  const json = await send('/v1/traces', anExport([aJsonSpan(modelRequest)]));
  expect([json.status, Number(json.headers.get('retry-after')) > 0]).toEqual([503, true]);
  expect(json.body.message).toContain('Redis');
  const away = await sendBytes(url, exportOf([encodedSpan(modelRequest)]));
  expect([away.status, away.headers.get('content-type')]).toEqual([503, protobufType]);
  expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
});

/** A span as protobuf has it, with one text for an attribute. */
function encodedSpan(attributes: Record<string, string>): Uint8Array {
  const texts = Object.entries(attributes).map(([key, value]) =>
    lengthDelimited(9, Buffer.concat([lengthDelimited(1, key), lengthDelimited(2, lengthDelimited(1, value))])),
  );
  const ids = [lengthDelimited(1, Buffer.alloc(16, 1)), lengthDelimited(2, Buffer.alloc(8, 2))];
  const start = protobuf.Writer.create().uint32(57).fixed64(1_777_629_600_000_000_000).finish();
  return Buffer.concat([...ids, start, ...texts]);
}

test('otlp: a span with more values than are read at once costs itself', async () => {
  const { send, url, stored } = await aGateway();
  const good = aJsonSpan(modelRequest);
  const many = JSON.stringify(aJsonSpan(modelRequest)).replace(
    '"attributes":[',
    `"attributes":[${'{},'.repeat(300_000)}`,
  );
  const text = JSON.stringify(anExport(['many', good])).replace('"many"', many);
  const answer = await send('/v1/traces', text, { headers: { 'content-type': 'application/json' } });
  const reason =
    '1 of 2 spans are not stored: 1 are refused, the first because span has more than 250000 JSON values; send what is large in it as text';
  expect(answer).toMatchObject({ status: 200, body: { partialSuccess: { rejectedSpans: '1', errorMessage: reason } } });
  // the attributes of a span, the values of a list in one, and fields that nobody knows
  const empty = Buffer.alloc(600_000, Buffer.from([0x4a, 0x00]));
  const values = Buffer.alloc(600_000, Buffer.from([0x0a, 0x00]));
  const list = lengthDelimited(
    9,
    Buffer.concat([lengthDelimited(1, 'key'), lengthDelimited(2, lengthDelimited(5, values))]),
  );
  const unknown = Buffer.alloc(600_000, Buffer.from([0x62, 0x00]));
  const own = encodedSpan(modelRequest);
  const spans = [empty, list, unknown].map((part) => Buffer.concat([own, part]));
  const { status, bytes } = await sendBytes(url, exportOf([...spans, own]));
  expect([status, Buffer.from(bytes).toString()]).toEqual([
    200,
    expect.stringContaining('3 of 4 spans are not stored: 3 are refused, the first because span has more than 250000'),
  ]);
  expect(await stored('requests')).toHaveLength(2);
});

const runs = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

test('otlp: whatever bytes of a body are changed, nothing fails, and what is stored is as its contract says', async () => {
  const { url, stored, log } = await aGateway();
  const good = exportOf([encodedSpan(modelRequest), encodedSpan({ ...modelRequest, 'gen_ai.prompt': '[{"a":1}]' })]);
  expect((await sendBytes(url, good)).bytes.length).toBe(0);
  const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(changes, fc.integer({ min: 0, max: good.length }), async (bytes, end) => {
      const body = Buffer.from(good);
      for (const [at, byte] of bytes) body[at] = byte;
      expect([200, 400]).toContain(
        (await sendBytes(url, body.subarray(0, bytes.length === 0 ? end : undefined))).status,
      );
    }),
    runs,
  );
  const records = await stored('requests');
  expect(records.map(findRequestProblem).filter((problem) => problem !== null)).toEqual([]);
  expect(records.length).toBeGreaterThan(2);
  expect(log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('otlp: whatever JSON is in the place of a part, nothing fails, and what is stored is as its contract says', async () => {
  const { send, stored, log } = await aGateway();
  const name = fc.constantFrom(
    'gen_ai.operation.name',
    'gen_ai.input.messages',
    'gen_ai.usage.x',
    'gen_ai.prompt.0.role',
  );
  const scalar = fc.record({ intValue: fc.jsonValue() }, { requiredKeys: [] });
  const value = fc.oneof(
    fc.jsonValue(),
    scalar,
    fc.string({ unit: 'binary' }).map((stringValue) => ({ stringValue })),
    fc.jsonValue().map((json) => ({ stringValue: JSON.stringify(json) })),
    fc.jsonValue().map((values) => ({ arrayValue: { values } })),
    fc
      .array(scalar)
      .map((values) => ({ kvlistValue: { values: values.map((one) => ({ key: '__proto__', value: one })) } })),
  );
  const part = fc.oneof(
    fc.dictionary(fc.constantFrom('traceId', 'startTimeUnixNano', 'attributes', 'events', 'status'), fc.jsonValue()),
    fc.array(fc.record({ key: name, value })).map((attributes) => ({ attributes })),
    fc
      .array(fc.record({ name: fc.constant('gen_ai.choice'), attributes: fc.array(fc.record({ key: name, value })) }))
      .map((events) => ({ events })),
  );
  await fc.assert(
    fc.asyncProperty(part, async (changed) => {
      const { status } = await send('/v1/traces', anExport([aJsonSpan(modelRequest, changed)]));
      expect([200, 400]).toContain(status);
    }),
    runs,
  );
  const records = await stored('requests');
  expect(records.map(findRequestProblem).filter((problem) => problem !== null)).toEqual([]);
  expect(records.length).toBeGreaterThan(10);
  expect(log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('otlp: attributes of JSON that cannot be read are masked where rules concern the body', async () => {
  const file = join(await createDirectory(), 'redact.json');
  writeFileSync(file, JSON.stringify({ rules: [{ do: 'mask', at: 'requestBody.messages.**.content' }] }));
  const { send, stored } = await aGateway({ SLUICE_REDACT_FILE: file });
  const messages = [{ role: 'user', parts: [{ type: 'text', content: 'secret' }] }];
  const written = [
    JSON.stringify(messages),
    JSON.stringify(messages).slice(0, -5),
    "[{'role': 'user', 'content': 'secret'}]",
  ];
  const bodies = [
    ...written.map((text) => ({ 'gen_ai.input.messages': text })),
    { 'ai.prompt.messages': ['{"content":"secret"}', '{"content":"secr'] },
    { 'gen_ai.prompt.0.role': 'user', 'gen_ai.prompt.0.tool_calls': '[{"content":"secret' },
    { 'gen_ai.prompt': '[INST] hello [/INST]' },
  ];
  const ids = spanIds(bodies.length);
  const told = (attributes: object, at: number) =>
    aJsonSpan(
      { ...modelRequest, ...attributes, 'gen_ai.output.messages': '[{"content":"an answer' },
      { spanId: ids[at] },
    );
  await send('/v1/traces', anExport(bodies.map(told)));
  const records = await stored('requests');
  expect(records.map(({ requestBody }) => JSON.parse(requestBody as string).messages)).toEqual([
    [{ role: 'user', parts: [{ type: 'text', content: '[redacted]' }] }],
    '[redacted]',
    '[redacted]',
    [{ content: '[redacted]' }, '[redacted]'],
    [{ role: 'user', tool_calls: '[redacted]' }],
    '[INST] hello [/INST]',
  ]);
  expect(records[0]?.['responseBody']).toContain('an answer');
});
