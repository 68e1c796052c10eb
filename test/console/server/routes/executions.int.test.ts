import { expect, test } from 'vitest';
import { storeRequests } from '../../../../workers/completed-requests/store.ts';
import { aConsole } from '../../../support/a-console.ts';
import { openDatabase } from '../../../support/health.ts';
import { aCompletion } from '../../../support/requests.ts';
import { insertRun } from '../../../support/seed-console.ts';

const minute = 60_000;

test('executions: a strategy’s are listed page by page, and filtered', async () => {
  const { get, client } = await aConsole();
  const now = Date.now();
  const at = (minutes: number) => new Date(now - minutes * minute);
  const ids = [
    await insertRun(client, { recorded_at: at(1) }),
    await insertRun(client, { recorded_at: at(2), status: 'error', error_code: 'E1', case_name: null, points: null }),
    await insertRun(client, { recorded_at: at(3), external_user_id: 'user-2', realm_id: 'other' }),
    await insertRun(client, { recorded_at: at(4), case_name: null, points: -0.5 }),
    await insertRun(client, { recorded_at: at(60 * 25) }),
  ];
  await insertRun(client, { strategy_id: 'another' });
  const list = async (query: string): Promise<string[]> => {
    const { status, body } = await get(`/api/v1/executions?strategyId=bonus${query}`);
    expect(status, query).toBe(200);
    return body.executions.map(({ id }: { id: string }) => id);
  };
  expect(await list('')).toEqual(ids.slice(0, 4));
  expect(await list('&window=7d')).toEqual(ids);
  expect(await list(`&since=${at(3.5).toISOString()}&until=${at(1.5).toISOString()}`)).toEqual(ids.slice(1, 3));
  expect(await list('&status=failed')).toEqual([ids[1]]);
  expect(await list('&status=ok&limit=1')).toEqual([ids[0]]);
  expect(await list('&errorCode=E1')).toEqual([ids[1]]);
  expect(await list('&caseName=first')).toEqual([ids[0], ids[2]]);
  expect(await list('&unmatched=true&status=ok')).toEqual([ids[3]]);
  expect(await list('&points=-0.5')).toEqual([ids[3]]);
  expect(await list('&points=1e1&window=7d')).toEqual([ids[0], ids[2], ids[4]]);
  expect(await list('&realmId=other')).toEqual([ids[2]]);
  expect(await list('&externalUserId=user-2')).toEqual([ids[2]]);

  const ofAll = (await get('/api/v1/executions?status=failed&errorCode=E1')).body.executions;
  expect(ofAll.map(({ id }: { id: string }) => id)).toEqual([ids[1]]);
  expect((await get('/api/v1/executions?caseName=first')).body.executions).toHaveLength(3);

  const first = (await get('/api/v1/executions?strategyId=bonus&limit=3')).body;
  const query = `until=${first.until}&cursor=${first.cursor}`;
  const second = (await get(`/api/v1/executions?strategyId=bonus&limit=3&${query}`)).body;
  expect(second.executions.map(({ id }: { id: string }) => id)).toEqual([ids[3]]);
  expect(second.cursor).toBeNull();
});

test('executions: one comes with its trace and input, times as ISO 8601', async () => {
  const { get, client } = await aConsole();
  const recordedAt = new Date(Date.now() - minute);
  const id = await insertRun(client, { recorded_at: recordedAt });
  const { status, body } = await get(`/api/v1/executions/${id}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id,
    recordedAt: recordedAt.toISOString(),
    strategyId: 'bonus',
    status: 'ok',
    points: 10,
    sampleRate: 0.25,
    trace: [{ nodeId: 'n1', type: 'literal', value: 10 }],
    input: { streak: 4 },
  });
});

test('strategies: those that have run are listed, with weighted rates', async () => {
  const { get, client } = await aConsole();
  for (let n = 0; n < 3; n += 1) await insertRun(client);
  await insertRun(client, { status: 'error', error_code: 'E', sampled: false, sample_rate: 1 });
  const { status, body } = await get('/api/v1/strategies?window=1h');
  expect(status).toBe(200);
  expect(body.strategies).toHaveLength(1);
  expect(body.strategies[0]).toMatchObject({
    strategyId: 'bonus',
    total: { rows: 4, runs: 13 },
    failed: { rows: 1, runs: 1 },
    failureRate: { value: 1 / 13, rows: 4, tooFew: true },
  });
});

test('strategies: one is told with its series, two are compared', async () => {
  const { get, client } = await aConsole();
  await insertRun(client);
  await insertRun(client, { strategy_id: 'other strategy/2', duration_ms: 30, points: 4 });
  const one = await get('/api/v1/strategy?strategyId=other%20strategy%2F2&window=1h&bucketSeconds=60');
  expect(one.status).toBe(200);
  expect(one.body).toMatchObject({ strategyId: 'other strategy/2', summary: { total: { rows: 1, runs: 4 } } });
  expect(one.body.series.bucketMs).toBe(60_000);
  expect(one.body.series.buckets.length).toBeGreaterThanOrEqual(60);
  const both = await get('/api/v1/comparison?a=bonus&b=other%20strategy%2F2');
  expect(both.status).toBe(200);
  expect(both.body.delta).toMatchObject({ failureRate: 0, meanMs: 17.5, meanPoints: -6 });
});

test('original: its two routes answer with its field names, weighted unless told otherwise', async () => {
  const { get, client } = await aConsole();
  for (let n = 0; n < 4; n += 1) await insertRun(client);
  await insertRun(client, { status: 'timeout', error_code: 'T', sampled: false, sample_rate: 1, points: null });
  await insertRun(client, { strategy_id: 'b', recorded_at: new Date(Date.now() - 20 * 86_400_000) }).catch(() => null);
  await insertRun(client, { strategy_id: 'b' });
  const weighted = await get('/api/v1/strategies/custom/bonus/metrics');
  expect(weighted.status).toBe(200);
  expect(weighted.body.statusBreakdown).toEqual({ ok: 16, error: 0, timeout: 1, limit: 0, other: 0, total: 17 });
  expect(weighted.body.errorRate).toBeCloseTo(1 / 17);
  expect(weighted.body.windowUntil).toMatch(/Z$/);
  const plain = await get('/api/v1/strategies/custom/bonus/metrics?weighted=false&unknown=ignored');
  expect(plain.status).toBe(200);
  expect(plain.body.statusBreakdown).toEqual({ ok: 4, error: 0, timeout: 1, limit: 0, other: 0, total: 5 });
  expect(plain.body).toMatchObject({ errorRate: 0.2, windowFrom: null, windowUntil: null, version: 3, name: 'bonus' });
  expect(Object.keys(weighted.body).toSorted()).toEqual(Object.keys(plain.body).toSorted());
  const since = new Date(Date.now() - 10_000).toISOString();
  const empty = await get(`/api/v1/strategies/custom/bonus/metrics?since=${since}`);
  expect(empty.body).toMatchObject({ windowFrom: since, successRate: 0, statusBreakdown: { total: 0 } });

  const compared = await get('/api/v1/strategies/custom/compare?a=bonus&b=b&window=1h');
  expect(compared.status).toBe(200);
  expect(compared.body.delta.successRate).toBeCloseTo(1 / 17);
  expect(Object.keys(compared.body.delta)).toEqual(['successRate', 'errorRate', 'p95Ms', 'avgMs', 'pointsAvg']);
  expect((await get('/api/v1/strategies/custom/compare?a=bonus&b=nobody')).status).toBe(404);
  expect((await get('/api/v1/strategies/custom/compare?a=bonus')).status).toBe(400);
  expect((await get('/api/v1/strategies/custom/nobody/metrics')).status).toBe(404);
  expect((await get('/api/v1/strategies/custom/bonus/metrics?weighted=maybe')).status).toBe(400);
});

test('a trace: its executions and requests are listed, and each says its span', async () => {
  const { get, client, databaseUrl } = await aConsole();
  const [traceId, spanId] = ['a1'.repeat(16), 'b2'.repeat(8)];
  const id = await insertRun(client, { trace_id: traceId, span_id: spanId });
  await insertRun(client, { trace_id: 'c'.repeat(32) });
  await insertRun(client);
  const request = aCompletion({ traceId, spanId });
  await storeRequests(openDatabase(databaseUrl), JSON.stringify([request, aCompletion()]));
  const span = { traceId, spanId };
  // As a person may have it from elsewhere.
  const query = `traceId=${traceId.toUpperCase()}`;
  expect((await get(`/api/v1/executions?${query}`)).body.executions).toMatchObject([{ id, ...span }]);
  expect((await get(`/api/v1/executions/${id}`)).body).toMatchObject(span);
  expect((await get(`/api/v1/requests?${query}`)).body.requests).toMatchObject([{ id: request.requestId, ...span }]);
  expect((await get(`/api/v1/requests/${request.requestId}`)).body).toMatchObject(span);
  for (const of of ['executions', 'requests'])
    expect(JSON.stringify((await get(`/api/v1/${of}?traceId=abc`)).body)).toContain('must be 32 hexadecimal digits');
});
