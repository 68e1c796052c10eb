import { expect, test } from 'vitest';
import { aConsole } from '../../../support/a-console.ts';
import { insertPrices, insertRequests } from '../../../support/request-rows.ts';
import { insertRun } from '../../../support/seed-console.ts';

const minute = 60_000;

test('request routes: figures of a window, by group and over time', async () => {
  const { get, client } = await aConsole();
  const now = Date.now();
  const at = (minutes: number) => new Date(now - minutes * minute);
  await insertPrices(client, [{ model: 'm-1', input: '1', output: '2' }]);
  const [failed] = await insertRequests(client, [
    { at: at(1), status: 503, createdBy: 'user-2' },
    { at: at(2), input: 1_000_000, output: 250_000 },
    { at: at(3), model: 'm-2', input: 1, output: 1 },
    { at: at(4), state: 'processing' },
    { at: at(60 * 25) },
  ]);
  const { status, body } = await get('/api/v1/requests/stats?by=model&top=1&bucketSeconds=3600');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    summary: {
      requests: 4,
      states: { completed: 2, failed: 1, processing: 1 },
      statusClasses: { '2xx': 2, '5xx': 1, none: 1 },
      tokens: { input: 1_000_001, output: 250_001, inputRequests: 2, outputRequests: 2 },
      cost: { amounts: [{ currency: 'USD', amount: '1.5', requests: 1 }], withoutPrice: 1, withoutTokens: 0 },
      failureRate: { rows: 3, tooFew: true },
      latencyMs: { completed: { p50: { value: 1_000 } } },
    },
    lastFailures: [{ id: failed, responseStatus: 503 }],
    groups: {
      by: 'model',
      sort: 'requests',
      groups: [{ key: 'm-1', requests: 3 }],
      others: { groups: 1, requests: 1 },
    },
  });
  expect(body.series.bucketMs).toBe(3_600_000);
  expect(body.series.buckets.reduce((sum: number, bucket: { requests: number }) => sum + bucket.requests, 0)).toBe(4);
  const filtered = await get(
    '/api/v1/requests/stats?window=7d&createdBy=user-2&statusClass=5xx&endpoint=%2Fv1%2Fresponses',
  );
  expect(filtered.body).toMatchObject({ summary: { requests: 1 }, groups: null });
  const windowed = await get(`/api/v1/requests/stats?since=${at(2.5).toISOString()}&until=${at(1.5).toISOString()}`);
  expect(windowed.body).toMatchObject({ summary: { requests: 1 }, window: { since: at(2.5).toISOString() } });
});

test('request routes: two models and two windows are compared', async () => {
  const { get, client } = await aConsole();
  await insertRequests(client, [
    { at: new Date(Date.now() - minute), model: 'a', latencyMs: 10 },
    { at: new Date(Date.now() - minute), model: 'b', latencyMs: 30 },
    { at: new Date(Date.now() - 30 * 3_600_000), model: 'b' },
  ]);
  const models = await get('/api/v1/requests/compare?a=a&b=b');
  expect(models.status).toBe(200);
  expect(models.body).toMatchObject({ a: { model: 'a' }, b: { model: 'b' }, delta: { requests: 0, p50Ms: 20 } });
  const windows = await get('/api/v1/requests/compare');
  expect(windows.body).toMatchObject({ a: { model: null, requests: 1 }, b: { requests: 2 }, delta: { requests: 1 } });
  const base = new Date(Date.now() - 31 * 3_600_000).toISOString();
  const named = await get(`/api/v1/requests/compare?model=b&window=1h&baseSince=${base}`);
  expect(named.body).toMatchObject({ a: { model: 'b', requests: 1 }, b: { requests: 1 } });
  expect((await get('/api/v1/requests/compare?a=a')).status).toBe(400);
});

test('request routes: what nobody can ask is refused, with the field', async () => {
  const { get } = await aConsole();
  for (const [query, said] of [
    ['by=colour', 'by'],
    ['sort=name', 'sort'],
    ['top=51', 'top'],
    ['top=1e1', 'top'],
    ['statusClass=6xx', 'statusClass'],
    ['model=%00', 'model'],
    ['unknown=1', 'unknown'],
    ['since=2026-03-01T12:00:00', 'since'],
    ['window=1h&bucketSeconds=1', 'too many'],
  ] as const) {
    const { status, text } = await get(`/api/v1/requests/stats?${query}`);
    expect([query, status]).toEqual([query, 400]);
    expect(text).toContain(said);
  }
  expect((await get(`/api/v1/requests?text=${'x'.repeat(513)}`)).status).toBe(400);
  expect((await get('/api/v1/requests?text=%ED%A0%80x')).status).toBeLessThan(500);
  expect((await get('/api/v1/requests?text=x&cursor=y')).status).toBe(400);
});

test('request routes: the text of bodies is searched, and the answer says what it has looked through', async () => {
  const { get, client } = await aConsole();
  const [found] = await insertRequests(client, [
    { at: new Date(Date.now() - minute), body: '{"input":"a needle"}' },
    { at: new Date(Date.now() - 2 * minute) },
  ]);
  const { status, body } = await get('/api/v1/requests?text=a%20needle');
  expect(status).toBe(200);
  expect(body).toMatchObject({ requests: [{ id: found }], cursor: null, searched: { requests: 2 } });
  const page = await get('/api/v1/requests?text=e&limit=1');
  expect(page.body).toMatchObject({ requests: [{ id: found }], searched: { requests: 1 } });
  const next = await get(`/api/v1/requests?text=e&limit=1&cursor=${page.body.cursor}`);
  expect(next.body).toMatchObject({ requests: [expect.anything()], cursor: null });
  expect((await get('/api/v1/requests')).body).not.toHaveProperty('searched');
});

test('execution routes: traces and inputs are searched, within the realm of the token', async () => {
  const { get, client } = await aConsole();
  const id = await insertRun(client);
  await insertRun(client, { trace: JSON.stringify([{ nodeId: 'n1', value: 9 }]), input: null });
  const list = (query: string) => get(`/api/v1/executions?strategyId=bonus&${query}`);
  expect((await list('node=n1&gave=%3E%3D%2010')).body).toMatchObject({
    executions: [{ id }],
    cursor: null,
    searched: { executions: 2 },
  });
  expect((await list('input=streak%20%3D%204')).body.executions).toMatchObject([{ id }]);
  expect((await list('node=n1&gave=9&realmId=other')).body.executions).toEqual([]);
  expect((await list('gave=9')).status).toBe(400);
  expect((await list('input=%3D')).status).toBe(400);
  const { status, text } = await get('/api/v1/executions?node=n1');
  expect([status, text]).toEqual([400, expect.stringContaining('needs a strategy')]);
});
