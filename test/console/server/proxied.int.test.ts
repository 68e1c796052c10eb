import { expect, test } from 'vitest';
import { type Answer, aConsole, allTokens, operatorToken, readToken } from '../../support/a-console.ts';

const link = (answer: Answer) => answer.headers['location'];
const cookieOf = (answer: Answer): string => String(answer.headers['set-cookie']);
const session = (answer: Answer) => ({ cookie: cookieOf(answer).split(';')[0] ?? '' });
const login = { body: { token: readToken } };

test('base path: everything is served below it, and at the root for those who ask past the proxy', async () => {
  const { get } = await aConsole({ ...allTokens, SLUICE_CONSOLE_BASE_PATH: '/team/sluice' });
  const urls = [
    '/',
    '/assets/main.js',
    '/vendor/preact.js',
    '/api/v1/scaling?targetSeconds=60',
    '/queues/',
    '/healthz',
  ];
  // A rate that is not known yet is an answer, too.
  for (const url of [...urls, '/metrics', '/queues/static/favicon.ico'])
    for (const prefix of ['', '/team/sluice'])
      expect([200, 503], prefix + url).toContain((await get(prefix + url, operatorToken)).status);
  for (const url of ['/team/', '/team/sluices/', '/sluice/', '/team/sluice/team/sluice/', '/TEAM/sluice/'])
    expect((await get(url, operatorToken)).status, url).toBe(404);
});

test('base path: without the slash at its end it leads to the page, with what was asked', async () => {
  const { get } = await aConsole({ ...allTokens, SLUICE_CONSOLE_BASE_PATH: '/sluice' });
  const leads = await get('/sluice?view=strategy&id=a?b');
  expect([leads.status, link(leads)]).toEqual([308, '/sluice/?view=strategy&id=a?b']);
  expect(link(await get('/sluice'))).toBe('/sluice/');
});

test('base path: Bull Board and the document of the API say it', async () => {
  const { get } = await aConsole({
    ...allTokens,
    SLUICE_CONSOLE_BASE_PATH: '/sluice',
    SLUICE_CONSOLE_ORIGIN: 'https://ops.example',
  });
  const board = (await get('/sluice/queues/', readToken)).text;
  expect(board).toContain('<base href="/sluice/queues/"');
  expect(board).toContain('"url":"/sluice/"');
  expect((await get('/api/v1/openapi.json')).body.servers).toEqual([{ url: 'https://ops.example/sluice' }]);
  const { get: atRoot } = await aConsole();
  expect((await atRoot('/api/v1/openapi.json')).body.servers).toBeUndefined();
});

test('base path: one that only the proxy knows is named by the answer to what is nowhere', async () => {
  const { get, ask } = await aConsole(allTokens);
  const proxied = await ask('GET', '/sluice/', { headers: { 'x-forwarded-for': '192.0.2.7' } });
  expect([proxied.status, proxied.body.detail]).toEqual([404, expect.stringContaining('SLUICE_CONSOLE_BASE_PATH')]);
  expect((await get('/sluice/')).body.detail).toBe('There is nothing at this address');
});

test('session: consoles at other ports or other paths of a host have cookies of their own', async () => {
  const names = new Set<string>();
  for (const [environment, host] of [
    [{}, 'ops.example'],
    [{}, 'ops.example:9464'],
    [{}, 'ops.example:9465'],
    [{}, '[::1]:9466'],
    [{ SLUICE_CONSOLE_BASE_PATH: '/sluice' }, 'ops.example'],
    [{ SLUICE_CONSOLE_BASE_PATH: '/sluice' }, 'ops.example:9464'],
    [{ SLUICE_CONSOLE_BASE_PATH: '/sluice-2' }, 'ops.example'],
    [{ SLUICE_CONSOLE_BASE_PATH: '/9464' }, 'ops.example'],
    [{ SLUICE_CONSOLE_BASE_PATH: '/a/b' }, 'ops.example'],
    // A proxy that does not tell the host: the configuration does.
    [{ SLUICE_CONSOLE_ORIGIN: 'https://ops.example:8443' }, 'console:9464'],
  ] as const) {
    const { ask } = await aConsole({ ...allTokens, ...environment });
    const first = await ask('POST', '/login', { ...login, headers: { host } });
    expect(cookieOf(first)).toMatch(/^sluice_session[\w.-]*=[\w.-]+; /);
    const name = cookieOf(first).split('=')[0] ?? '';
    expect(names.has(name), name).toBe(false);
    names.add(name);
    // A cookie of another console of the host beside it does no harm.
    const both = { host, cookie: `sluice_session_1=x; sluice_session.other=y; ${session(first).cookie}` };
    expect((await ask('GET', '/api/v1/session', { headers: both })).status).toBe(200);
  }
});

test('session: the cookie is for the base path where the browser has it, and a logout takes it away', async () => {
  const { ask } = await aConsole({ ...allTokens, SLUICE_CONSOLE_BASE_PATH: '/sluice' });
  for (const [prefix, path] of [
    ['/sluice', '/sluice/'],
    ['', '/'],
  ]) {
    const first = await ask('POST', `${prefix}/login`, login);
    expect(cookieOf(first)).toContain(`; Path=${path}; `);
    expect((await ask('GET', `${prefix}/api/v1/session`, { headers: session(first) })).status).toBe(200);
    const logout = await ask('DELETE', `${prefix}/api/v1/session`, { headers: session(first) });
    expect(cookieOf(logout)).toMatch(new RegExp(`^sluice_session_9464.sluice=; Max-Age=0; Path=${path};`));
  }
});

test('origin: says whether the cookie needs TLS, whatever a header says', async () => {
  for (const [origin, proto, isSecure] of [
    ['https://ops.example', 'http', true],
    ['http://ops.example', 'https', false],
  ] as const) {
    const { ask } = await aConsole({ ...allTokens, SLUICE_CONSOLE_ORIGIN: origin });
    const first = await ask('POST', '/login', { ...login, headers: { 'x-forwarded-proto': proto } });
    expect(/; Secure/.test(cookieOf(first)), origin).toBe(isSecure);
  }
});

test('origin: by plain HTTP a browser says its origin only, and a proxy may have changed the host', async () => {
  const headers = { host: 'console:9464', origin: 'http://ops.example' };
  const told = await (await aConsole({ ...allTokens, SLUICE_CONSOLE_ORIGIN: 'http://ops.example' })).ask(
    'POST',
    '/login',
    { ...login, headers },
  );
  expect(told.status).toBe(200);
  const { ask } = await aConsole(allTokens);
  const refused = await ask('POST', '/login', { ...login, headers });
  expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('SLUICE_CONSOLE_ORIGIN')]);
  const other = await aConsole({ ...allTokens, SLUICE_CONSOLE_ORIGIN: 'http://ops.example' });
  for (const origin of ['https://ops.example', 'http://ops.example:81', 'http://evil.example', 'null'])
    expect((await other.ask('POST', '/login', { ...login, headers: { ...headers, origin } })).status, origin).toBe(403);
});

test('trusted proxies: each client behind them has its own logins; who only says so shares those of its address', async () => {
  const { app } = await aConsole({ ...allTokens, SLUICE_CONSOLE_TRUSTED_PROXIES: '10.0.0.0/8' });
  const tryFrom = async (remoteAddress: string, forwardedFor: string, times: number): Promise<Set<number>> => {
    const statuses = new Set<number>();
    for (let n = 0; n < times; n += 1) {
      const headers = { host: 'ops.example', 'x-forwarded-for': forwardedFor.replace('N', String(n)) };
      const payload = { token: `wrong-${n}` };
      statuses.add((await app.inject({ method: 'POST', url: '/login', headers, remoteAddress, payload })).statusCode);
    }
    return statuses;
  };
  expect(await tryFrom('10.0.0.1', '192.0.2.1', 20)).toEqual(new Set([401]));
  expect(await tryFrom('10.0.0.1', '192.0.2.1', 1)).toEqual(new Set([429]));
  expect(await tryFrom('10.0.0.1', '192.0.2.2', 1)).toEqual(new Set([401]));
  // What a client has put there itself stands before what its proxy adds.
  expect(await tryFrom('10.0.0.1', '198.51.100.N, 192.0.2.1', 1)).toEqual(new Set([429]));
  expect(await tryFrom('203.0.113.9', '198.51.100.N', 21)).toEqual(new Set([401, 429]));
});

test('base path: a console without tokens refuses what has come through a proxy, there too', async () => {
  const { ask } = await aConsole({ SLUICE_CONSOLE_BASE_PATH: '/sluice' });
  for (const url of ['/sluice', '/sluice/', '/sluice/api/v1/queues', '/api/v1/queues'])
    expect((await ask('GET', url, { headers: { 'x-forwarded-for': '10.0.0.1' } })).status, url).toBe(403);
  expect((await ask('GET', '/sluice/api/v1/queues')).status).toBe(200);
});
