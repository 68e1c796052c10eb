import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { storeRequests } from '../../../../workers/completed-requests/store.ts';
import { aConsole } from '../../../support/a-console.ts';
import { openQueue } from '../../../support/fixtures.ts';
import { insertRuntimeRecord } from '../../../support/health.ts';
import { aCompletion } from '../../../support/requests.ts';
import { insertDeadLetter } from '../../../support/seed-console.ts';

const nobody = '018f0000-0000-7000-8000-000000000000';

test('requests: they are listed, filtered, read whole and deleted for good', async () => {
  const { ask, get, database, client } = await aConsole();
  const records = ['a', 'b', 'a'].map((createdBy, n) =>
    aCompletion({ createdBy, startedAt: `2026-03-01T12:00:0${n}.000Z`, completedAt: `2026-03-01T12:01:0${n}.000Z` }),
  );
  await storeRequests(database, JSON.stringify(records));
  const [first, , third] = records.map(({ requestId }) => requestId);
  const list = await get('/api/v1/requests?createdBy=a');
  expect(list.body.requests.map(({ id }: { id: string }) => id)).toEqual([third, first]);
  expect(list.body.requests[0]).toMatchObject({ state: 'completed', durationMs: 60_000, responseStatus: 200 });
  const page = (await get('/api/v1/requests?limit=2')).body;
  expect((await get(`/api/v1/requests?limit=2&cursor=${page.cursor}`)).body.requests).toHaveLength(1);
  const window = 'from=2026-03-01T12:00:01Z&until=2026-03-01T14:00:02%2B02:00';
  expect((await get(`/api/v1/requests?${window}`)).body.requests).toHaveLength(1);

  const one = await get(`/api/v1/requests/${first}`);
  expect(one.body).toMatchObject({ id: first, createdBy: 'a', response: { status: 200, body: '{"output":[]}' } });
  expect((await ask('DELETE', `/api/v1/requests/${first}`)).status).toBe(204);
  expect((await ask('DELETE', `/api/v1/requests/${first}`)).status).toBe(404);
  expect((await get(`/api/v1/requests/${first}`)).status).toBe(404);
  expect((await client.query('select from request')).rowCount).toBe(2);
  for (const bad of ['x', nobody.slice(1), `${nobody}'`])
    expect((await ask('DELETE', `/api/v1/requests/${encodeURIComponent(bad)}`)).status).toBe(400);
});

test('requests: one that is being stored right now is not deleted, and the caller is told to come again', async () => {
  const { ask, database, client, log } = await aConsole({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '500' });
  const record = aCompletion();
  await storeRequests(database, JSON.stringify([record]));
  await client.query('begin; lock table request in exclusive mode');
  const answer = await ask('DELETE', `/api/v1/requests/${record.requestId}`);
  await client.query('rollback');
  expect([503, 504]).toContain(answer.status);
  expect(answer.body.detail).not.toMatch(/lock|relation|statement/i);
  expect(log.some(({ msg }) => msg === 'request failed')).toBe(true);
  expect((await ask('DELETE', `/api/v1/requests/${record.requestId}`)).status).toBe(204);
});

test('runtime records: they are listed by game, filtered, and read one by one', async () => {
  const { get, client } = await aConsole();
  for (const [id, status, health] of [
    ['a', 'running', 'healthy'],
    ['b/1', 'stopped', ''],
    ['c', 'running', 'unreachable'],
  ] as const)
    await insertRuntimeRecord(client, { game_id: id, status, engine_health: health });
  await client.query(
    `insert into health_event_watermark (game_id, last_id, occurred_at_ms) values ('c', '17-1', 1775121800000)`,
  );
  const ids = async (query: string) =>
    (await get(`/api/v1/runtime-records?${query}`)).body.records.map(({ gameId }: { gameId: string }) => gameId);
  expect(await ids('')).toEqual(['a', 'b/1', 'c']);
  expect(await ids('status=running')).toEqual(['a', 'c']);
  expect(await ids('engineHealth=unreachable')).toEqual(['c']);
  const page = (await get('/api/v1/runtime-records?limit=2')).body;
  expect(page.after).toBe('b/1');
  expect(await ids(`limit=2&after=${encodeURIComponent(page.after)}`)).toEqual(['c']);
  const one = (await get('/api/v1/runtime-record?gameId=c')).body;
  expect(one.lastEvent).toEqual({ id: '17-1', occurredAt: new Date(1_775_121_800_000).toISOString() });
  expect((await get('/api/v1/runtime-record?gameId=b%2F1')).body).toMatchObject({ status: 'stopped', lastEvent: null });
  expect((await get('/api/v1/runtime-record?gameId=d')).status).toBe(404);
  expect((await get('/api/v1/runtime-records?status=gone')).status).toBe(400);
});

test('dead letters: they are listed, by cause too, and read one by one', async () => {
  const { get, client } = await aConsole();
  const at = (n: number) => new Date(1_800_000_000_000 + n);
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) ids.unshift(await insertDeadLetter(client, { last_seen: at(n), first_seen: at(0) }));
  const other = await insertDeadLetter(client, {
    queue: 'completed-request',
    signature: 'other',
    contract_version: null,
    last_seen: at(-1),
    first_seen: at(-1),
  });
  const list = await get('/api/v1/dead-letters?state=open&signature=schema%20id:%20Invalid%20input&limit=2');
  expect(list.body.deadLetters.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
  expect(list.body.deadLetters[0]).not.toHaveProperty('payload');
  const next = await get(`/api/v1/dead-letters?limit=2&cursor=${list.body.cursor}`);
  expect(next.body.deadLetters.map(({ id }: { id: string }) => id)).toEqual([ids[2], other]);
  expect(next.body.deadLetters[1].holdsRecord).toBe(false);
  const { causes } = (await get('/api/v1/dead-letters/causes')).body;
  expect(causes.map(({ deadLetters, exampleId }: Record<string, unknown>) => [deadLetters, exampleId])).toEqual([
    [3, ids[0]],
    [1, other],
  ]);
  expect((await get(`/api/v1/dead-letters/${ids[0]}`)).body.payload).toContain('bonus');
  expect((await get(`/api/v1/dead-letters/${randomUUID()}`)).status).toBe(404);
});

test('dead letters: they are put back into their queue, repaired, and put aside', async () => {
  const { ask, client, namespace } = await aConsole();
  const [first, second] = [await insertDeadLetter(client), await insertDeadLetter(client)];
  const noRecord = await insertDeadLetter(client, { contract_version: null, signature: 'other' });
  const replayed = await ask('POST', '/api/v1/dead-letters/replay', {
    body: { ids: [first, noRecord], repairs: ['drop:notes'] },
  });
  expect(replayed.body).toEqual({ replayed: 1, skipped: [noRecord] });
  const [job] = await openQueue(namespace).getJobs(['waiting']);
  expect(job?.data.records).toEqual([{ strategyId: 'bonus' }]);
  const discarded = await ask('POST', '/api/v1/dead-letters/discard', { body: { signature: 'other' } });
  expect(discarded.body).toEqual({ discarded: 1 });
  const { rows } = await client.query('select id, state from dead_letter');
  expect(Object.fromEntries(rows.map(({ id, state }) => [id, state]))).toEqual({
    [first]: 'replayed',
    [second]: 'open',
    [noRecord]: 'discarded',
  });
});

test('dead letters: a slip of the pen does not mean every dead letter', async () => {
  const { ask, client } = await aConsole();
  await insertDeadLetter(client);
  const bad = [
    {},
    { all: false },
    { ids: [] },
    { ids: ['x'] },
    { ids: Array(1_001).fill(nobody) },
    { id: nobody, all: true },
    { signature: '' },
    { queue: null },
    [],
    null,
    'all',
  ];
  for (const action of ['replay', 'discard'])
    for (const body of bad) {
      const answer = await ask('POST', `/api/v1/dead-letters/${action}`, { body });
      expect(answer.status, `${action} ${JSON.stringify(body).slice(0, 80)}`).toBe(400);
      expect(answer.body.type).toBe(body === 'all' ? 'about:blank' : 'urn:sluice:problem:invalid-request');
    }
  for (const body of [
    { all: true, repairs: ['rm -rf'] },
    { all: true, state: 'stored' },
    { all: true, limit: 1_001 },
  ])
    expect((await ask('POST', '/api/v1/dead-letters/replay', { body })).status).toBe(400);
  expect((await ask('POST', '/api/v1/dead-letters/replay')).status).toBe(400);
  const { rows } = await client.query('select state, replays from dead_letter');
  expect(rows).toEqual([{ state: 'open', replays: 0 }]);
});

test('health events: how the consumer is is told', async () => {
  const { get, client, keys, redis } = await aConsole();
  await insertRuntimeRecord(client, { game_id: 'a', status: 'running' });
  await redis.xadd(keys.stream, '5-0', 'game_id', 'a');
  const { status, body } = await get('/api/v1/health-events');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    mode: 'hardened',
    stream: keys.stream,
    lease: null,
    lag: { entries: 1 },
    games: { running: 1, stopped: 0 },
    deadLetters: 0,
  });
});
