import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { findRequestProblem } from '../../shared/contracts/completed-request-schema.ts';
import { findRecordProblem } from '../../shared/contracts/execution-schema.ts';
import { aGateway, anInput, aRequestInput, ndjson } from '../support/a-gateway.ts';

test('gateway: one object, a list and lines are the same, and what is answered with 202 is in Redis', async () => {
  const { send, stored } = await aGateway();
  expect(await send('/v1/executions', anInput({ strategyId: 'one' }))).toMatchObject({
    status: 202,
    body: { accepted: 1, rejected: [] },
  });
  expect((await stored()).map(({ strategyId }) => strategyId)).toEqual(['one']);
  expect((await send('/v1/executions', [anInput(), anInput()])).body).toEqual({ accepted: 2, rejected: [] });
  const lines = `\ufeff${ndjson([anInput()])}\n \r\n${ndjson([anInput()])}${JSON.stringify(anInput())}`;
  expect((await send('/v1/executions', lines)).body).toEqual({ accepted: 3, rejected: [] });
  const records = await stored();
  expect(records.length).toBe(6);
  expect(records.map(findRecordProblem)).toEqual(Array(6).fill(null));
  expect(records[0]).toMatchObject({ strategyVersion: 0, strategyType: 'unknown', sampled: true, sampleRate: 1 });
  expect(records[0]).not.toHaveProperty('notes');
  expect((await send('/v1/executions', [])).body).toEqual({ accepted: 0, rejected: [] });
});

test('gateway: a bad record costs itself, and the answer says which it is, the field and the reason', async () => {
  const { send, stored } = await aGateway();
  const id = '0199a000-0000-4000-8000-000000000001';
  const lines = [
    JSON.stringify(anInput()),
    JSON.stringify(anInput({ strategyId: 3 })),
    '{"strategyId": bad',
    JSON.stringify(anInput({ id })),
    JSON.stringify(anInput({ recordedAt: '2026-05-01T10:00:00' })),
    JSON.stringify(anInput({ suprise: true })),
    '[]',
    JSON.stringify(anInput({ strategyId: 'last' })),
  ].join('\n');
  const { status, body } = await send('/v1/executions', lines);
  expect(status).toBe(202);
  expect(body.accepted).toBe(2);
  expect(body.rejected.map(({ index, field }: { index: number; field: string }) => [index, field])).toEqual([
    [1, 'strategyId'],
    [2, 'record'],
    [3, 'recordedAt'],
    [4, 'recordedAt'],
    [5, 'suprise'],
    [6, 'record'],
  ]);
  expect(body.rejected[2].id).toBe(id);
  expect((await stored()).map(({ strategyId }) => strategyId)).toEqual(['bonus', 'last']);

  const none = await send('/v1/executions', ndjson(Array(150).fill({ strategyId: '' })));
  expect(none.status).toBe(400);
  expect(none.body).toMatchObject({ error: { code: 'all-rejected' }, rejectedMore: 50 });
  expect(none.body.rejected.length).toBe(100);
  expect(await send('/v1/executions', '{', { headers: { 'content-type': 'application/json' } })).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid-json' } },
  });
});

test('gateway: a parameter that an address does not take is refused by name, and nothing is stored', async () => {
  const { send, stored, url } = await aGateway();
  const begin = '/v1/requests/0199a000-0000-7000-8000-000000000001/begin';
  for (const [path, method, message] of [
    ['/v1/executions?smaple=true', 'POST', 'smaple: is not a parameter of this address; accepted: sample'],
    [
      '/v1/executions?sample=false&__proto__=1',
      'POST',
      '__proto__: is not a parameter of this address; accepted: sample',
    ],
    ['/v1/requests?sample=true', 'POST', 'sample: is not a parameter of this address; none is accepted'],
    [`${begin}?createdBy=me`, 'PUT', 'createdBy: is not a parameter of this address; none is accepted'],
    ['/v1/reports?records=requests&final=1', 'POST', 'final: is not a parameter of this address; accepted: records'],
  ] as const) {
    const body = path.startsWith('/v1/executions') ? anInput() : aRequestInput();
    const answer = await send(path, body, { method });
    expect([path, answer.status, answer.body]).toEqual([path, 400, { error: { code: 'invalid-request', message } }]);
  }
  expect((await send('/v1/traces?timeout=5', {})).body).toEqual({
    message: 'timeout: is not a parameter of this address; none is accepted',
  });
  expect([...(await stored()), ...(await stored('requests'))]).toEqual([]);
  // Whoever asks a probe may add what he likes.
  expect((await fetch(`${url}/healthz?at=1`)).status).toBe(200);
  expect((await fetch(`${url}/metrics?at=1`)).status).toBe(200);
});

test('gateway: what PostgreSQL cannot store is made storable, with a note, and a long trace is cut', async () => {
  const { send, stored } = await aGateway({ DSL_EXECUTION_LOG_TRACE_LIMIT: '2' });
  const trace = Array.from({ length: 5 }, (_, nodeId) => ({ nodeId: `${nodeId}`, type: 'field', value: nodeId }));
  const body = '{"strategyId":"a\\u0000b","status":"ok","durationMs":1,"errorMessage":"\\ud800","notes":"mine"}';
  expect((await send('/v1/executions', body)).body.accepted).toBe(1);
  expect((await send('/v1/executions', anInput({ trace, traceLength: 9 }))).body.accepted).toBe(1);
  const [odd, long] = await stored();
  expect(odd).toMatchObject({ strategyId: 'a\ufffdb', errorMessage: '\ufffd' });
  expect(odd?.['notes']).toMatch(/^mine; strategyId: NUL or a lone surrogate replaced/);
  expect(long).toMatchObject({ trace: [trace[0], trace[4]], traceLength: 9 });
});

test('gateway: compressed bodies are those that they stand for', async () => {
  const { send, stored } = await aGateway();
  const text = ndjson(Array.from({ length: 3_000 }, (_, n) => anInput({ strategyId: `s${n}`, input: { n } })));
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
  ] as const) {
    const { body } = await send('/v1/executions', bytes, { headers: { 'content-encoding': encoding } });
    expect(body).toEqual({ accepted: 3_000, rejected: [] });
  }
  const strategies = (await stored()).map(({ strategyId }) => strategyId);
  expect(strategies.length).toBe(6_000);
  expect(new Set(strategies).size).toBe(3_000);
  const wrong = await send('/v1/executions', gzipSync(text), { headers: { 'content-encoding': 'zstd' } });
  expect(wrong).toMatchObject({ status: 400, body: { error: { code: 'invalid-encoding' } } });
  const half = gzipSync(text).subarray(0, 5_000);
  const cut = await send('/v1/executions', half, { headers: { 'content-encoding': 'gzip' } });
  expect(cut).toMatchObject({ status: 400, body: { error: { code: 'invalid-encoding' } } });
});

test('gateway: the same Idempotency-Key makes the same ids and times, and another one makes others', async () => {
  const { send, stored } = await aGateway();
  const records = [anInput(), anInput()];
  for (const key of ['k-1', 'k-1', 'k-2'])
    expect((await send('/v1/executions', records, { headers: { 'idempotency-key': key } })).status).toBe(202);
  const all = await stored();
  const identities = all.map(({ id, recordedAt }) => `${id} ${recordedAt}`);
  expect(all.length).toBe(6);
  expect(identities.slice(2, 4)).toEqual(identities.slice(0, 2));
  expect(new Set(identities).size).toBe(4);
  expect(all.map(findRecordProblem)).toEqual(Array(6).fill(null));
  const bad = await send('/v1/executions', records, { headers: { 'idempotency-key': 'a b' } });
  expect(bad.status).toBe(400);
});

test('gateway: an id of version 7 brings its own time', async () => {
  const { send, stored } = await aGateway();
  const at = Date.UTC(2026, 4, 1, 10);
  const hex = at.toString(16).padStart(12, '0');
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
  await send('/v1/executions', anInput({ id }));
  expect(await stored()).toMatchObject([{ id, recordedAt: new Date(at).toISOString() }]);
});

test('gateway: it samples ok runs when it is asked to, and tells their metrics', async () => {
  const { send, stored, metrics } = await aGateway({ DSL_EXECUTION_LOG_SAMPLE_RATE: '0.5' });
  const runs = Array.from({ length: 400 }, (_, n) =>
    anInput({ realmId: 'acme', strategyType: 'DSL_FULL', nodesExecuted: 2, status: n % 4 === 0 ? 'error' : 'ok' }),
  );
  const { body } = await send('/v1/executions?sample=true', runs);
  expect(body.accepted + body.sampledOut).toBe(400);
  expect(body.sampledOut).toBeGreaterThan(50);
  expect(body.sampledOut).toBeLessThan(250);
  const rates = (await stored()).map(({ status, sampleRate }) => `${status} ${sampleRate}`);
  expect(rates.filter((rate) => rate === 'error 1').length).toBe(100);
  expect(rates.filter((rate) => rate === 'ok 0.5').length).toBe(300 - body.sampledOut);
  const text = await metrics();
  expect(text).toContain('dsl_execution_nodes_total{realm="acme",strategy_type="DSL_FULL"} 800\n');
  expect(text).toContain(`sluice_producer_records_total{outcome="sampled_out"} ${body.sampledOut}\n`);
  expect((await send('/v1/executions?sample=maybe', runs)).status).toBe(400);
});

test('gateway: requests are stored with their bodies, and of a key its hash only', async () => {
  const { send, stored, log } = await aGateway({ SLUICE_API_KEY_PEPPER: 'a-pepper-of-16-chars' });
  const key = 'sk-live-1234567890';
  const { body } = await send('/v1/requests', [
    aRequestInput({ requestId: '0199a000-0000-7000-8000-000000000001', apiKey: key, requestBody: { a: [1, 'ü'] } }),
    aRequestInput({ responseBody: 'AP8=', responseEncoding: 'base64', isStream: true, completedAt: 1_777_630_000_000 }),
    aRequestInput({ responseBody: 'A', responseEncoding: 'base64' }),
    aRequestInput({ createdBy: ' ' }),
    aRequestInput({ statusCode: 99 }),
  ]);
  expect(body.accepted).toBe(2);
  expect(body.rejected.map(({ field }: { field: string }) => field)).toEqual([
    'responseBody',
    'createdBy',
    'statusCode',
  ]);
  const records = await stored('requests');
  expect(records.map(findRequestProblem)).toEqual([null, null]);
  expect(records[0]).toMatchObject({ phase: 'completed', requestBody: '{"a":[1,"ü"]}', requestBytes: 14 });
  expect(records[0]?.['apiKeyHash']).toMatch(/^[0-9a-f]{64}$/);
  expect(records[1]).toMatchObject({
    responseBody: 'AP8=',
    responseEncoding: 'base64',
    responseBytes: 2,
    isStream: true,
  });
  expect(JSON.stringify([records, log])).not.toContain(key);
});

test('gateway: a request is begun at its address', async () => {
  const { send, stored } = await aGateway();
  const id = '0199a000-0000-7000-8000-00000000000a';
  const { statusCode: _, ...begun } = aRequestInput({ requestBody: 'hi' });
  expect(await send(`/v1/requests/${id}/begin`, begun, { method: 'PUT' })).toMatchObject({
    status: 202,
    body: { accepted: 1, rejected: [] },
  });
  expect(await stored('requests')).toMatchObject([{ phase: 'begun', requestId: id, requestBody: 'hi' }]);
  const other = { ...begun, requestId: '0199a000-0000-7000-8000-00000000000b' };
  for (const [path, body] of [
    [`/v1/requests/${id}/begin`, other],
    [`/v1/requests/${id}/begin`, aRequestInput()],
    ['/v1/requests/nobody/begin', begun],
  ] as const)
    expect((await send(path, body, { method: 'PUT' })).status).toBe(400);
});

test('gateway: a body without a record begins nothing, and elsewhere nothing is accepted of it', async () => {
  const { send, stored } = await aGateway();
  const id = '0199a000-0000-7000-8000-00000000000a';
  for (const nothing of [[], '', '\n\n']) {
    expect(await send(`/v1/requests/${id}/begin`, nothing, { method: 'PUT' })).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid-request', message: 'The body has no record; send the one of this address' } },
    });
    for (const path of ['/v1/executions', '/v1/requests'])
      expect(await send(path, nothing)).toMatchObject({ status: 202, body: { accepted: 0, rejected: [] } });
  }
  const headers = { 'content-type': 'application/json' };
  for (const path of ['/v1/executions', '/v1/requests', '/v1/reports?records=executions'])
    expect(await send(path, '', { headers })).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid-json' } },
    });
  expect(await stored('requests')).toEqual([]);
});

test('gateway: what it cannot read is refused by its headers', async () => {
  const { send, url } = await aGateway();
  const status = async (headers: Record<string, string>) => (await send('/v1/executions', '{}', { headers })).status;
  expect(await status({ 'content-type': 'text/plain' })).toBe(415);
  expect(await status({ 'content-type': 'application/json; charset=latin1' })).toBe(415);
  expect(await status({ 'content-encoding': 'br' })).toBe(415);
  expect((await fetch(`${url}/v1/executions`)).status).toBe(404);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});
