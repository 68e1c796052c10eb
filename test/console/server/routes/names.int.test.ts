import { expect, test } from 'vitest';
import { aConsole, acmeToken, allTokens, operatorToken, readToken } from '../../../support/a-console.ts';
import { insertDeadLetter, seed } from '../../../support/seed-console.ts';

const names = (...given: [kind: string, id: string, name: string | null][]) => ({
  names: given.map(([kind, id, name]) => ({ kind, id, name })),
});

test('names: who may write gives and takes them, who may read lists them, and all see them beside ids', async () => {
  const { ask, get, client, database, keys } = await aConsole(allTokens);
  const { executionId, requestId } = await seed({ client, database, keys });
  const body = names(
    ['strategy', 'bonus', ' Weekly bonus '],
    ['creator', 'creator-1', 'Ada'],
    ['strategy', 'theirs', 'Secret'],
  );
  for (const token of [readToken, acmeToken]) {
    expect((await ask('POST', '/api/v1/names', { token, body })).status).toBe(403);
  }
  expect((await ask('POST', '/api/v1/names', { body })).status).toBe(401);
  const crossSite = { 'sec-fetch-site': 'cross-site' };
  expect((await ask('POST', '/api/v1/names', { token: operatorToken, body, headers: crossSite })).status).toBe(403);
  expect(await ask('POST', '/api/v1/names', { token: operatorToken, body })).toMatchObject({
    status: 200,
    body: { added: 3, changed: 0, unchanged: 0, removed: 0, erased: 0 },
  });
  expect((await get('/api/v1/names?kind=creator', readToken)).body).toMatchObject({
    names: [{ kind: 'creator', id: 'creator-1', name: 'Ada' }],
    cursor: null,
  });
  expect((await get('/api/v1/names', acmeToken)).status).toBe(403);

  const read = async (url: string, token = readToken) => (await get(`/api/v1/${url}`, token)).body;
  const weekly = { strategyId: 'bonus', strategyName: 'Weekly bonus' };
  expect((await read('strategies')).strategies).toEqual(expect.arrayContaining([expect.objectContaining(weekly)]));
  expect((await read('executions?strategyId=bonus')).executions).toEqual([
    expect.objectContaining(weekly),
    expect.objectContaining(weekly),
  ]);
  expect(await read(`executions/${executionId}`)).toMatchObject(weekly);
  expect(await read('strategy?strategyId=bonus')).toMatchObject(weekly);
  expect(await read('comparison?a=bonus&b=theirs')).toMatchObject({ a: weekly, b: { strategyName: 'Secret' } });
  expect((await read('requests')).requests).toEqual([expect.objectContaining({ creatorName: 'Ada' })]);
  expect(await read(`requests/${requestId}`)).toMatchObject({ createdBy: 'creator-1', creatorName: 'Ada' });

  // A token of a realm learns no name of what has not run there.
  expect(await read('strategy?strategyId=bonus', acmeToken)).toMatchObject(weekly);
  expect(await read('strategy?strategyId=theirs', acmeToken)).toMatchObject({ strategyName: null });
  expect(await read('comparison?a=bonus&b=theirs', acmeToken)).toMatchObject({ a: weekly, b: { strategyName: null } });

  const gone = names(['strategy', 'bonus', null]);
  expect((await ask('POST', '/api/v1/names', { token: operatorToken, body: gone })).body).toMatchObject({ removed: 1 });
  expect(await read(`executions/${executionId}`)).toMatchObject({ strategyName: null });
});

test('names: of a dead letter’s record, as far as the payload says whose it is', async () => {
  const { ask, get, client } = await aConsole();
  await ask('POST', '/api/v1/names', { body: names(['strategy', 'bonus', 'Weekly'], ['creator', 'c', 'Ada']) });
  const subjectOf = async (overrides: Record<string, unknown>) =>
    (await get(`/api/v1/dead-letters/${await insertDeadLetter(client, overrides)}`)).body.subject;
  expect(await subjectOf({})).toEqual({ kind: 'strategy', id: 'bonus', name: 'Weekly' });
  expect(await subjectOf({ queue: 'completed-request', payload: '{"createdBy":"c"}' })).toEqual({
    kind: 'creator',
    id: 'c',
    name: 'Ada',
  });
  expect(await subjectOf({ payload: '{"strategyId":"other"}' })).toEqual({ kind: 'strategy', id: 'other', name: null });
  for (const payload of ['{"strategyId":7}', '{"strategyId":""}', 'no JSON', '[]', '{"strategyId":"a"'])
    expect(await subjectOf({ payload })).toBeNull();
  expect(await subjectOf({ queue: 'constructor' })).toBeNull();
});

test.each([
  [names(), /names/],
  [names(['strategy', 'a', '']), /name is empty/],
  [names(['strategy', 'a', 'x'.repeat(10_000)]), /longer than 200/],
  [names(['strategy', 'a', 'x\ny']), /control character/],
  [names(['strategy', 'a\0', 'x']), /NUL/],
  [names(['realm', 'a', 'x']), /kind/],
  [names(['strategy', 'a', 'x'], ['strategy', 'a', 'y']), /the same strategy/],
])('names: %j is refused, and says why', async (body, message) => {
  const { ask, client } = await aConsole();
  const answer = await ask('POST', '/api/v1/names', { body });
  expect(answer.status).toBe(400);
  expect(answer.text).toMatch(message);
  expect((await client.query('select from display_name')).rowCount).toBe(0);
});
