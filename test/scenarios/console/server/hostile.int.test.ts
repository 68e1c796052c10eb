import { expect, test } from 'vitest';
import { type Answer, aConsole, allTokens } from '../../../support/a-console.ts';
import { seed } from '../../../support/seed-console.ts';

const nobody = '018f0000-0000-7000-8000-000000000000';

/** Texts that mean something to somebody. */
const texts = [
  `'; drop table request; --`,
  `' or '1'='1`,
  `1); select pg_sleep(30); --`,
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '../../../../etc/passwd',
  '%27%20or%201=1',
  '$(id) `id`',
  '{{7*7}}',
  '\u202e\u0007\\x00',
  '💥'.repeat(100),
  '__proto__',
  'constructor',
];

/** Routes with a text in them, by what is made of the text. */
const queries = [
  ['executions', ['strategyId']],
  ['executions?strategyId=bonus', ['errorCode', 'caseName', 'realmId', 'externalUserId']],
  ['strategies/custom/compare?b=bonus', ['a']],
  ['comparison?b=bonus', ['a']],
  ['requests', ['createdBy', 'model']],
  ['runtime-records', ['engineHealth', 'after']],
  ['strategy', ['strategyId']],
  ['runtime-record', ['gameId']],
  ['dead-letters', ['queue', 'signature']],
  ['dead-letters/causes', ['queue', 'signature']],
] as const;

/** Nothing of the inside may be in an answer. */
function expectNothingTold({ text, headers, status }: Answer, what: string): void {
  expect(status, what).not.toBe(500);
  if (status < 400) return;
  expect(headers['content-type'], what).toMatch(/^application\/problem\+json/);
  expect(text, what).not.toMatch(/node_modules|\.ts:\d|\n\s+at |select |prisma|postgres:\/\/|redis:\/\/|SQLSTATE/i);
}

test('texts: none is taken for anything but a text', async () => {
  const place = await aConsole();
  await seed(place);
  const { get, client } = place;
  const rowsBefore = (await client.query('select count(*)::int as n from request')).rows;
  for (const text of texts) {
    const encoded = encodeURIComponent(text);
    for (const [path, names] of queries)
      for (const name of names) {
        const answer = await get(`/api/v1/${path}${path.includes('?') ? '&' : '?'}${name}=${encoded}`);
        const isNowhere = path.startsWith('strategies/custom') || path === 'runtime-record';
        expect(answer.status, `${path} ${name} ${text}`).toBe(isNowhere ? 404 : 200);
        expectNothingTold(answer, text);
        expect(answer.headers['content-type']).toMatch(/^application\/(problem\+)?json/);
      }
    expectNothingTold(await get(`/api/v1/strategies/custom/${encoded}/metrics`), text);
    for (const path of ['executions', 'requests', 'dead-letters'])
      expect((await get(`/api/v1/${path}/${encoded}`)).status, path).toBe(400);
  }
  expect((await client.query('select count(*)::int as n from request')).rows).toEqual(rowsBefore);
});

test('texts: a NUL, and what is longer than any name, is refused', async () => {
  const { get } = await aConsole();
  for (const [path, names] of queries)
    for (const name of names)
      for (const text of ['a%00b', '%00', 'x'.repeat(2_001), '']) {
        const answer = await get(`/api/v1/${path}${path.includes('?') ? '&' : '?'}${name}=${text}`);
        expect(answer.status, `${path} ${name} ${text.slice(0, 10)}`).toBe(400);
        expect(answer.body.errors[0].field).toBe(name);
      }
  for (const path of ['strategies/custom/a%00b/metrics', `strategies/custom/${'x'.repeat(513)}/metrics`])
    expect((await get(`/api/v1/${path}`)).status, path).toBe(400);
  expect((await get(`/api/v1/strategies/custom/${'x'.repeat(10_000)}/metrics`)).status).toBeGreaterThanOrEqual(400);
});

test('parameters: what is unknown, doubled, too much or of another kind is refused, and named', async () => {
  const { get } = await aConsole();
  const refused: [string, string | null][] = [
    ['executions?strategyId=s&strategyId=t', 'strategyId'],
    ['executions?strategyId=s&limit=0', 'limit'],
    ['executions?strategyId=s&limit=201', 'limit'],
    ['executions?strategyId=s&limit=1e9', 'limit'],
    ['executions?strategyId=s&limit=1.5', 'limit'],
    ['executions?strategyId=s&limit=1e1', 'limit'],
    ['executions?strategyId=s&limit=0x10', 'limit'],
    ['executions?strategyId=s&limit=%2B5', 'limit'],
    ['executions?strategyId=s&limit=1&limit=2', 'limit'],
    ['executions?strategyId=s&limit=', 'limit'],
    ['executions?strategyId=s&limit=NaN', 'limit'],
    ['executions?strategyId=s&points=NaN', 'points'],
    ['executions?strategyId=s&points=', 'points'],
    ['executions?strategyId=s&points=0x10', 'points'],
    ['executions?strategyId=s&points=1e999', 'points'],
    ['executions?strategyId=s&points=1&points=2', 'points'],
    ['executions?strategyId=s&status=fine', 'status'],
    ['executions?strategyId=s&stratgyId=s', null],
    ['executions?strategyId=s&strategyId[]=s', null],
    ['strategies?limit=-1', 'limit'],
    ['strategy?strategyId=s&top=51', 'top'],
    ['strategy', 'strategyId'],
    ['runtime-record?gameId=a&gameId=b', 'gameId'],
    ['strategy?strategyId=s&bucketSeconds=0', 'bucketSeconds'],
    ['strategy?strategyId=s&bucketSeconds=1e99', 'bucketSeconds'],
    ['requests?from=yesterday', 'from'],
    ['requests?from=-000001-01-01T00:00:00Z', 'from'],
    ['requests?from=0000-01-01T00:00:00Z', 'from'],
    ['requests?from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 'from'],
    ['requests?statusClass=9xx', 'statusClass'],
    ['requests?state=gone', 'state'],
    ['requests?serviceTier=', 'serviceTier'],
    ['scaling?targetSeconds=0', 'targetSeconds'],
    ['dead-letters?state=any', 'state'],
    ['comparison?a=s', 'b'],
  ];
  for (const [path, field] of refused) {
    const answer = await get(`/api/v1/${path}`);
    expect(answer.status, path).toBe(400);
    expectNothingTold(answer, path);
    if (field !== null) expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  }
});

test('windows: what is no time, or the wrong way round, or too long for its buckets, is refused', async () => {
  const { get } = await aConsole();
  const windows = [
    'since=yesterday',
    'since=2026-01-01T00:00:00',
    'since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z',
    'since=2026-01-01T00:00:00Z&until=2026-01-01T00:00:00Z',
    'since=%2B275760-09-13T00:00:00Z',
    'since=0000-00-00T00:00:00Z',
    'until=99999999999999999999',
    'window=1y',
    'window=__proto__',
    'window=1h&since=2026-01-01T00:00:00Z',
    `since=${'1'.repeat(61)}`,
  ];
  for (const window of windows)
    for (const path of ['executions?strategyId=s&', 'strategies?', 'strategy?strategyId=s&', 'comparison?a=s&b=t&']) {
      const answer = await get(`/api/v1/${path}${window}`);
      expect(answer.status, path + window).toBe(400);
      expectNothingTold(answer, window);
    }
  const tooFine = await get(
    '/api/v1/strategy?strategyId=s&since=1970-01-02T00:00:00Z&until=9999-01-01T00:00:00Z&bucketSeconds=1',
  );
  expect(tooFine.status).toBe(400);
  expect(tooFine.body.detail).toMatch(/buckets are too many/);
  const giant = await get('/api/v1/strategy?strategyId=s&since=1970-01-02T00:00:00Z&until=9999-01-01T00:00:00Z');
  expect(giant.status).toBe(200);
  expect(giant.body.series.buckets.length).toBeLessThanOrEqual(500);
});

test('cursors: what no list has returned is refused', async () => {
  const { get } = await aConsole();
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const time = '2026-01-01T00:00:00.000Z';
  const cursors = [
    'x',
    '%00',
    '../..',
    encode(null),
    encode({}),
    encode([]),
    encode([1]),
    encode([2, time, nobody]),
    encode([1, time, `${nobody}' or true`]),
    encode([1, 'ended', 'now', nobody]),
    encode([1, 'nowhere', time, nobody]),
    encode([1, '0000-01-01', nobody]),
    encode([1, '0000-01-01T00:00:00Z', nobody]),
    encode([1, 'ended', '0000-01-01T00:00:00Z', nobody]),
    'A'.repeat(2_001),
  ];
  for (const cursor of cursors)
    for (const path of ['executions?strategyId=s&', 'requests?', 'dead-letters?']) {
      const answer = await get(`/api/v1/${path}cursor=${cursor}`);
      expect(answer.status, path + cursor).toBe(400);
      expectNothingTold(answer, cursor);
    }
});

test('cursors: the place of the first row that there could be is one, and nothing is behind it', async () => {
  const { get } = await aConsole();
  const cursorOf = (...place: string[]) =>
    Buffer.from(JSON.stringify([1, ...place, '0001-01-01T00:00:00Z', nobody])).toString('base64url');
  for (const [path, cursor] of [
    ['executions?strategyId=s&window=all&', cursorOf()],
    ['requests?', cursorOf('ended')],
    ['dead-letters?', cursorOf()],
  ])
    expect((await get(`/api/v1/${path}cursor=${cursor}`)).status, path).toBe(200);
});

test('bodies: what is no JSON, too large or of another kind gets the right status', async () => {
  const { ask } = await aConsole();
  const post = (body: string, type = 'application/json') =>
    ask('POST', '/api/v1/dead-letters/discard', { body, headers: { 'content-type': type } });
  const expected: [number, Answer][] = [
    [400, await post('{')],
    [400, await post('')],
    [400, await post('{"__proto__":{"all":true}}')],
    [400, await post('{"constructor":{"prototype":{"all":true}}}')],
    [400, await post(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)],
    [413, await post(JSON.stringify({ signature: 'x'.repeat(70_000) }))],
    [415, await post('<all/>', 'application/xml')],
    [415, await post('all=true', 'application/x-www-form-urlencoded')],
  ];
  for (const [status, answer] of expected) {
    expect(answer.status, answer.text.slice(0, 200)).toBe(status);
    expectNothingTold(answer, answer.text);
    expect(answer.body).toMatchObject({ status, type: expect.any(String), title: expect.any(String) });
    expect(answer.body.instance).toMatch(/^urn:sluice:request:[0-9a-f-]{36}$/);
  }
});

test('addresses: what is nowhere, or no address, is told so in the same form', async () => {
  const { get } = await aConsole();
  for (const url of [
    '/%zz',
    '/api/v1/executions/%c0%80',
    '/api/v1/strategies/custom/%/metrics',
    '//evil.example/%2e%2e',
  ])
    expectNothingTold(await get(url), url);
  for (const url of ['/assets/../server/app.ts', '/assets/%2e%2e/server/app.ts', '/assets/..%2fserver%2fapp.ts'])
    expect([400, 403, 404], url).toContain((await get(url)).status);
  for (const url of ['/assets/tsconfig.json', '/assets/types.d.ts', '/assets/', '/assets/lib', '/vendor/', '/.env'])
    expect((await get(url)).status, url).toBe(404);
});

test('methods: an address says which it takes, whatever the body of another one is', async () => {
  const { ask, app } = await aConsole(allTokens);
  for (const [method, url, allow] of [
    ['PUT', '/api/v1/requests', 'GET, HEAD'],
    ['POST', `/api/v1/requests/${nobody}`, 'GET, HEAD, DELETE'],
    ['GET', '/api/v1/dead-letters/discard', 'POST'],
    ['GET', '/login', 'POST'],
  ] as const) {
    const body = method === 'GET' ? {} : { body: 'x', headers: { 'content-type': 'text/plain' } };
    const answer = await ask(method, url, body);
    expect([answer.status, answer.headers['allow']], `${method} ${url}`).toEqual([405, allow]);
    expectNothingTold(answer, url);
  }
  expect((await app.inject({ method: 'OPTIONS', url: '/api/v1/queues' })).headers['allow']).toBe('GET, HEAD');
});

test('files: a part that they do not have, or a condition that does not hold, is the caller’s mistake', async () => {
  const { ask, log } = await aConsole();
  for (const url of ['/vendor/preact.js', '/vendor/uplot.js', '/assets/main.js', '/queues/static/favicon.ico'])
    for (const [status, headers] of [
      [416, { range: 'bytes=99999999-' }],
      [412, { 'if-match': '"another"' }],
    ] as const) {
      const answer = await ask('GET', url, { headers });
      expect(answer.status, url).toBe(status);
      expectNothingTold(answer, url);
    }
  expect((await ask('GET', '/assets/.hidden.js')).status).toBe(403);
  expect(log).toEqual([]);
});
