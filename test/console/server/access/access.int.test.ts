import { connect as connectSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import {
  type Answer,
  aConsole,
  acmeToken,
  allTokens,
  metricsToken,
  operatorToken,
  readToken,
} from '../../../support/a-console.ts';
import { insertRun, seed } from '../../../support/seed-console.ts';

type Method = 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH';

/** Every route that needs a token, by the least that it takes. */
const routes: Record<'metrics' | 'realm' | 'read' | 'operator', [Method, string][]> = {
  metrics: [['GET', '/metrics']],
  realm: [
    ['GET', '/api/v1/session'],
    ['GET', '/api/v1/executions?strategyId=s'],
    ['GET', '/api/v1/executions/018f0000-0000-7000-8000-000000000000'],
    ['GET', '/api/v1/strategies'],
    ['GET', '/api/v1/strategy?strategyId=s'],
    ['GET', '/api/v1/comparison?a=s&b=t'],
    ['GET', '/api/v1/strategies/custom/s/metrics'],
    ['GET', '/api/v1/strategies/custom/compare?a=s&b=t'],
  ],
  read: [
    ['GET', '/api/v1/requests'],
    ['GET', '/api/v1/requests/stats'],
    ['GET', '/api/v1/requests/compare'],
    ['GET', '/api/v1/requests/018f0000-0000-7000-8000-000000000000'],
    ['GET', '/api/v1/requests/018f0000-0000-7000-8000-000000000000/bodies/request'],
    ['GET', '/api/v1/ledger'],
    ['GET', '/api/v1/names'],
    ['GET', '/api/v1/runtime-records'],
    ['GET', '/api/v1/runtime-record?gameId=game-1'],
    ['GET', '/api/v1/health-events'],
    ['GET', '/api/v1/dead-letters'],
    ['GET', '/api/v1/dead-letters/causes'],
    ['GET', '/api/v1/dead-letters/018f0000-0000-7000-8000-000000000000'],
    ['GET', '/api/v1/queues'],
    ['GET', '/api/v1/queues/history'],
    ['GET', '/api/v1/scaling'],
    ['GET', '/queues'],
    ['GET', '/queues/'],
    ['GET', '/queues/queue/execution-log'],
    ['GET', '/queues/api/queues'],
    ['GET', '/queues/api/redis/stats'],
    ['GET', '/queues/api/queues/execution-log/1'],
    ['GET', '/queues/static/favicon.ico'],
  ],
  operator: [
    ['DELETE', '/api/v1/requests/018f0000-0000-7000-8000-000000000000'],
    ['POST', '/api/v1/dead-letters/replay'],
    ['POST', '/api/v1/dead-letters/discard'],
    ['POST', '/api/v1/names'],
    ['POST', '/api/v1/erasures'],
    ['GET', '/api/v1/erasures'],
    ['PUT', '/queues/api/queues/pause'],
    ['PUT', '/queues/api/queues/execution-log/resume'],
    ['PUT', '/queues/api/queues/execution-log/empty'],
    ['PUT', '/queues/api/queues/execution-log/obliterate'],
    ['POST', '/queues/api/queues/execution-log/add'],
    ['PATCH', '/queues/api/queues/execution-log/1/update-data'],
  ],
};
const open = [
  '/',
  '/healthz',
  '/readyz',
  '/api/v1/openapi.json',
  '/vendor/preact.js',
  '/vendor/uplot.js',
  '/vendor/uplot.css',
];

test('access: every route of the document is in the list above, but for those of the session', async () => {
  const { get } = await aConsole();
  const { paths } = (await get('/api/v1/openapi.json')).body;
  const described = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, 'ID')}`),
  );
  const listed = Object.values(routes)
    .flat()
    .map(([method, url]) => `${method} ${url.split('?')[0]}`)
    .filter((route) => route.includes('/api/v1/'))
    .map((route) => route.replaceAll(/(?<=\/)(s(?=\/)|018f[\w-]+|(?<=bodies\/)request)/g, 'ID'));
  expect([...listed, 'POST /login', 'DELETE /api/v1/session'].toSorted()).toEqual(described.toSorted());
});

test('access (45; there 403): without a token, with a wrong one or another scheme, everything is 401 but what is for everybody', async () => {
  const { app, ask, get } = await aConsole(allTokens);
  const wrong = [
    {},
    { authorization: 'Bearer a-token-of-nobody-at-all' },
    { authorization: `Bearer ${readToken.slice(0, -1)}` },
    { authorization: `Bearer ${operatorToken} ${operatorToken}` },
    { authorization: `Basic ${Buffer.from(`x:${operatorToken}`).toString('base64')}` },
    { authorization: '' },
    { cookie: 'sluice_session_9464=' },
    { cookie: `sluice_session_9464=${operatorToken}` },
  ];
  for (const [method, url] of Object.values(routes).flat())
    for (const headers of wrong) {
      const answer = await ask(method, url, { headers });
      expect(answer.status, `${method} ${url} ${JSON.stringify(headers)}`).toBe(401);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="sluice"');
    }
  for (const [, url] of Object.values(routes)
    .flat()
    .filter(([method]) => method === 'GET'))
    expect((await app.inject({ method: 'HEAD', url })).statusCode, `HEAD ${url}`).toBe(401);
  // Not ready, on a busy machine, is an answer, too.
  for (const url of open) expect([200, 503], url).toContain((await get(url)).status);
  expect((await get('/api/v1/nothing')).status).toBe(404);
});

test('access: each token opens what it is for, and nothing more', async () => {
  const { ask } = await aConsole(allTokens);
  const opens: [token: string, levels: (keyof typeof routes)[]][] = [
    [metricsToken, ['metrics']],
    [acmeToken, ['realm']],
    [readToken, ['metrics', 'realm', 'read']],
    [operatorToken, ['metrics', 'realm', 'read', 'operator']],
  ];
  for (const [token, levels] of opens)
    for (const [level, list] of Object.entries(routes))
      for (const [method, url] of list) {
        const answer = await ask(method, url, { token });
        const isOpen = levels.some((one) => one === level);
        // Bull Board's dangerous routes are for nobody; what they say tells them apart.
        const refused = answer.status === 403 && /needs more access than/.test(answer.text);
        expect(answer.status, url).not.toBe(401);
        expect(answer.status, url).not.toBe(500);
        expect(refused, `${token} ${method} ${url} ${answer.text.slice(0, 200)}`).toBe(!isOpen);
      }
});

test('access: a realm sees its own executions only, and is not told of others', async () => {
  const place = await aConsole(allTokens);
  const { executionId, foreignId } = await seed(place);
  const get = (url: string) => place.get(url, acmeToken);
  expect((await get(`/api/v1/executions/${executionId}`)).status).toBe(200);
  const foreign = await get(`/api/v1/executions/${foreignId}`);
  const missing = await get('/api/v1/executions/018f0000-0000-7000-8000-000000000000');
  const told = ({ status, body: { instance, ...rest } }: Answer) => ({ status, ...rest });
  expect(told(foreign)).toEqual(told(missing));
  expect(foreign.status).toBe(404);
  expect((await get('/api/v1/executions?strategyId=theirs')).body.executions).toEqual([]);
  const ofAll = (await get('/api/v1/executions')).body.executions;
  expect(ofAll.map(({ realmId }: { realmId: string }) => realmId)).toEqual(['acme', 'acme']);
  expect((await get('/api/v1/executions?strategyId=theirs&realmId=other')).status).toBe(403);
  expect((await get('/api/v1/executions?strategyId=bonus&realmId=acme')).body.executions).toHaveLength(2);
  expect((await place.get('/api/v1/executions?strategyId=theirs', readToken)).body.executions).toHaveLength(1);
});

test('access (43, 44, 46): figures are of the runs of the realm of the caller, also those of a comparison', async () => {
  const place = await aConsole(allTokens);
  await seed(place);
  // Two realms use one strategy, and each sees as much of it as is its own.
  await insertRun(place.client, { realm_id: 'other', case_name: 'of another realm', points: 99 });
  const mine = (url: string) => place.get(url, acmeToken);
  const all = (url: string) => place.get(url, readToken);

  const listed = (await mine('/api/v1/strategies')).body.strategies;
  expect(listed.map((one: { strategyId: string }) => one.strategyId)).toEqual(['bonus']);
  expect(listed[0].total).toEqual({ rows: 2, runs: 5 });
  expect((await all('/api/v1/strategies')).body.strategies).toHaveLength(2);

  const strategy = await mine('/api/v1/strategy?strategyId=bonus');
  expect(strategy.body.summary.total).toEqual({ rows: 2, runs: 5 });
  expect(strategy.text).not.toContain('of another realm');
  expect((await all('/api/v1/strategy?strategyId=bonus')).body.summary.total).toEqual({ rows: 3, runs: 9 });
  expect((await mine('/api/v1/strategy?strategyId=theirs')).body.summary.total).toEqual({ rows: 0, runs: 0 });

  const compared = await mine('/api/v1/comparison?a=bonus&b=theirs');
  expect(compared.body).toMatchObject({
    a: { summary: { total: { rows: 2 } } },
    b: { summary: { total: { rows: 0 } } },
  });

  for (const weighted of ['true', 'false']) {
    const metrics = await mine(`/api/v1/strategies/custom/bonus/metrics?weighted=${weighted}`);
    expect(metrics.body.statusBreakdown.total).toBe(weighted === 'true' ? 5 : 2);
    expect(metrics.text).not.toContain('of another realm');
    expect((await mine(`/api/v1/strategies/custom/theirs/metrics?weighted=${weighted}`)).status).toBe(404);
    expect((await mine(`/api/v1/strategies/custom/compare?a=bonus&b=theirs&weighted=${weighted}`)).status).toBe(404);
  }
});

test('session: a login gives a cookie without the token in it, which opens what the token opens, until the logout', async () => {
  const { ask } = await aConsole(allTokens);
  const login = await ask('POST', '/login', { body: { token: readToken } });
  expect(login.status).toBe(200);
  expect(login.body).toEqual({ access: 'read', realm: null, needsToken: true });
  const cookie = String(login.headers['set-cookie']);
  expect(cookie).toMatch(/^sluice_session_9464=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(Buffer.from(cookie, 'base64url').toString('latin1')).not.toContain(readToken);
  const headers = { cookie: cookie.split(';')[0] ?? '' };
  expect((await ask('GET', '/api/v1/requests', { headers })).status).toBe(200);
  expect((await ask('POST', '/api/v1/dead-letters/discard', { headers, body: { all: true } })).status).toBe(403);
  const both = { ...headers, authorization: 'Bearer a-token-of-nobody-at-all' };
  expect((await ask('GET', '/api/v1/requests', { headers: both })).status).toBe(401);
  const logout = await ask('DELETE', '/api/v1/session', { headers });
  expect(logout.status).toBe(204);
  expect(String(logout.headers['set-cookie'])).toMatch(/^sluice_session_9464=; Max-Age=0; Path=\/;/);
  const secure = await ask('POST', '/login', { body: { token: acmeToken }, headers: { 'x-forwarded-proto': 'https' } });
  expect(secure.body).toEqual({ access: 'realm', realm: 'acme', needsToken: true });
  expect(String(secure.headers['set-cookie'])).toMatch(/; Secure;/);
});

test('session: wrong tokens make none, and a scraper’s is none of a person', async () => {
  const { ask } = await aConsole(allTokens);
  for (const token of ['wrong', metricsToken, `${readToken} `]) {
    const { status, headers } = await ask('POST', '/login', { body: { token } });
    expect(status).toBe(401);
    expect(headers['set-cookie']).toBeUndefined();
  }
  for (const body of [{}, { token: '' }, { token: 1 }, { token: readToken, more: 1 }, [], 'x', '{'])
    expect((await ask('POST', '/login', { body })).status, JSON.stringify(body)).toBe(400);
});

test('session: the twenty-first login within a minute is refused, a session and other addresses are not', async () => {
  const { ask, app } = await aConsole(allTokens);
  const login = await ask('POST', '/login', { body: { token: readToken } });
  for (let tried = 1; tried < 20; tried += 1)
    expect((await ask('POST', '/login', { body: { token: `wrong-${tried}` } })).status).toBe(401);
  const refused = await ask('POST', '/login', { body: { token: readToken } });
  expect(refused.status).toBe(429);
  expect(refused.headers['retry-after']).toMatch(/^\d+$/);
  expect(refused.body).toMatchObject({ type: 'urn:sluice:problem:too-many-requests', status: 429 });
  const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
  expect((await ask('GET', '/api/v1/requests', { headers: { cookie } })).status).toBe(200);
  const elsewhere = await app.inject({
    method: 'POST',
    url: '/login',
    headers: { host: '127.0.0.1:9464' },
    remoteAddress: '192.0.2.7',
    payload: { token: readToken },
  });
  expect(elsewhere.statusCode).toBe(200);
});

test('loopback: without tokens everything is allowed, under the names of this machine only', async () => {
  const { ask } = await aConsole();
  for (const host of ['127.0.0.1:9464', 'localhost', 'LOCALHOST:80', '[::1]:9464', '127.1.2.3'])
    expect((await ask('GET', '/api/v1/queues', { headers: { host } })).status, host).toBe(200);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:9464', '10.0.0.1', 'a b'])
    for (const url of ['/', '/api/v1/queues', '/queues/api/queues', '/metrics'])
      expect((await ask('GET', url, { headers: { host } })).status, host).toBe(403);
  expect((await ask('GET', '/api/v1/session')).body).toEqual({ access: 'operator', realm: null, needsToken: false });
});

const signs: Record<string, string> = {
  forwarded: 'for=10.0.0.1',
  via: '1.1 proxy',
  'x-forwarded-for': '10.0.0.1',
  'x-forwarded-proto': 'https',
  'x-forwarded-prefix': '/console',
  'X-Real-IP': '10.0.0.1',
  'x-client-ip': '10.0.0.1',
  'x-cluster-client-ip': '10.0.0.1',
  'true-client-ip': '10.0.0.1',
  'cf-connecting-ip': '10.0.0.1',
  'cdn-loop': 'cloudflare',
  'x-original-host': 'console.example',
  'x-original-forwarded-for': '10.0.0.1',
  'x-envoy-external-address': '10.0.0.1',
  'x-amzn-trace-id': 'Root=1',
  'x-arr-ssl': 'yes',
};

test.each(Object.entries(signs))(
  'proxy: without tokens what has come through one, by the header %s, is refused, and told why',
  async (name, value) => {
    const { ask } = await aConsole();
    for (const url of ['/', '/api/v1/queues', '/queues/api/queues', '/metrics', '/healthz', '/no-such-page']) {
      const answer = await ask('GET', url, { headers: { [name]: value } });
      expect(answer.status, url).toBe(403);
      expect(answer.body).toMatchObject({
        detail: expect.stringMatching(/through a proxy.*SLUICE_CONSOLE_READ_TOKEN/),
      });
    }
    const { ask: asksWithTokens } = await aConsole(allTokens);
    const answer = await asksWithTokens('GET', '/api/v1/queues', { token: readToken, headers: { [name]: value } });
    expect(answer.status).toBe(200);
  },
);

test('proxy: without tokens one that speaks HTTP/1.0 and adds nothing, as nginx does by default, is refused', async () => {
  const { app } = await aConsole();
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const ask = async (version: string): Promise<string> => {
    const socket = connectSocket(Number(port), '127.0.0.1');
    socket.end(`GET /api/v1/session HTTP/${version}\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    return text(socket);
  };
  expect(await ask('1.0')).toMatch(/^HTTP\/1\.1 403 .*through a proxy \(HTTP\/1\.0\)/s);
  expect(await ask('1.1')).toMatch(/^HTTP\/1\.1 200 /);
});

test('proxy: what browsers and tools of this machine send is no sign of one', async () => {
  const { ask } = await aConsole();
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'gzip',
    'x-requested-with': 'fetch',
    'x-request-id': '1',
    traceparent: '00-1-1-00',
    origin: 'http://localhost:9464',
    'sec-fetch-site': 'same-origin',
    'upgrade-insecure-requests': '1',
    cookie: 'a=b',
  };
  expect((await ask('GET', '/api/v1/queues', { headers })).status).toBe(200);
});

test('loopback: with tokens the console may have any name', async () => {
  const { ask } = await aConsole(allTokens);
  const answer = await ask('GET', '/api/v1/queues', { token: readToken, headers: { host: 'console.example' } });
  expect(answer.status).toBe(200);
});

test.each([{}, allTokens])(
  'another site: its pages can change nothing, whatever the caller holds (%#)',
  async (tokens) => {
    const { ask } = await aConsole(tokens);
    const discard = (headers: Record<string, string>) =>
      ask('POST', '/api/v1/dead-letters/discard', { token: operatorToken, body: { all: true }, headers });
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:9464' },
      { origin: 'http://evil.example' },
      { origin: 'http://127.0.0.1:9465' },
      { origin: 'null' },
    ])
      expect((await discard(headers)).status, JSON.stringify(headers)).toBe(403);
    for (const headers of [
      {},
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      { origin: 'http://127.0.0.1:9464' },
    ])
      expect((await discard(headers)).status, JSON.stringify(headers)).toBe(200);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect((await discard({ 'content-type': type })).status, type).toBe(415);
    const queue = { headers: { 'sec-fetch-site': 'cross-site' }, token: operatorToken };
    expect((await ask('PUT', '/queues/api/queues/pause', queue)).status).toBe(403);
  },
);

test('another site: without tokens its pages are told nothing, and only a link leads to a page of ours', async () => {
  const { ask } = await aConsole();
  const status = async (url: string, headers: Record<string, string>) => (await ask('GET', url, { headers })).status;
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const told = ['/api/v1/queues', '/queues/api/queues', '/queues/%61pi/queues', '/metrics'];
  for (const url of told) {
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, link])
      expect(await status(url, headers), url).toBe(403);
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])
      expect(await status(url, headers), url).toBe(200);
  }
  for (const url of ['/', '/queues/']) {
    expect(await status(url, link), url).toBe(200);
    expect(await status(url, { ...link, 'sec-fetch-dest': 'iframe' }), url).toBe(403);
    expect(await status(url, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), url).toBe(403);
  }
});

test('headers: every answer has those that keep a browser from doing more than it should', async () => {
  const { get } = await aConsole(allTokens);
  for (const url of ['/', '/api/v1/queues', '/nothing', '/queues', '/vendor/uplot.js', '/%zz']) {
    const { headers } = await get(url);
    expect(headers, url).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'self';.*object-src 'none'.*frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe-eval|script-src|\*/);
    if (!url.startsWith('/queues')) expect(policy).not.toContain('unsafe');
  }
});
