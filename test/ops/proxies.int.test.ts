import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { aConsole, allTokens, operatorToken, readToken } from '../support/a-console.ts';
import { insertRuntimeRecord } from '../support/health.ts';
import { findOrInstall } from '../support/proxy-binaries.ts';
import { insertRun } from '../support/seed-console.ts';
import { exampleHost, startCaddy, startNginx, type WebProxy, type WebProxyOptions } from '../support/web-proxies.ts';

/** For a package manager that has much to fetch, or waits for another one. */
const installMs = 300_000;
beforeAll(async () => {
  for (const name of ['nginx', 'caddy'] as const) await findOrInstall(name);
}, installMs);

/** As the heads of both examples say. */
const asDocumented = {
  ...allTokens,
  SLUICE_CONSOLE_BASE_PATH: '/sluice',
  SLUICE_CONSOLE_ORIGIN: `https://${exampleHost}`,
  SLUICE_CONSOLE_TRUSTED_PROXIES: '127.0.0.1',
};

type Changes = NonNullable<WebProxyOptions['changes']>;

/** The examples, and the same proxies where they take the base path away. */
const proxies: [name: string, start: (options: WebProxyOptions) => Promise<WebProxy>, changes: Changes][] = [
  ['nginx', startNginx, []],
  ['nginx that takes the base path away', startNginx, [['127.0.0.1:9464;', '127.0.0.1:9464/;']]],
  ['Caddy', startCaddy, []],
  [
    'Caddy that takes the base path away',
    startCaddy,
    [['reverse_proxy /sluice/* 127.0.0.1:9464', 'handle_path /sluice/* {\n\t\treverse_proxy 127.0.0.1:9464\n\t}']],
  ],
];

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Asks a proxy by the name of the example, with an address that nothing has normalised. */
function asker({ port, authority }: WebProxy) {
  return async (
    method: string,
    path: string,
    { token, headers = {}, body }: { token?: string; headers?: Record<string, string>; body?: unknown } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          ca: authority,
          servername: exampleHost,
          headers: {
            host: exampleHost,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
        },
        (answer) => {
          const { statusCode: status = 0, headers: told } = answer;
          text(answer).then((body_) => resolve({ status, headers: told, text: body_ }), reject);
        },
      );
      asked.on('error', reject);
      asked.end(body === undefined ? '' : JSON.stringify(body));
    });
}

/** A console that listens, behind a proxy. */
async function aProxied(
  [, start, changes]: (typeof proxies)[number],
  environment: Record<string, string> = asDocumented,
) {
  const console = await aConsole(environment);
  const { port } = new URL(await console.app.listen({ host: '127.0.0.1', port: 0 }));
  console.start();
  const ask = asker(await start({ consolePort: Number(port), changes }));
  return { ...console, ask };
}

/** Ids that mean something in a path, to a proxy or to a client. */
const awkwardIds = [
  'a/b',
  '/',
  '.',
  '..',
  '../queues',
  '../../metrics',
  '%2F',
  'a%2Fb',
  '//a',
  'a b?c#d&e=f',
  ';',
  'ä\\',
];

describe.each(proxies)('behind %s', (...proxy) => {
  test('the page, its files and Bull Board are found, also from the address without the slash', async () => {
    const { ask } = await aProxied(proxy);
    const led = await ask('GET', '/sluice');
    expect([301, 302, 308]).toContain(led.status);
    expect(new URL(led.headers.location ?? '', `https://${exampleHost}`).pathname).toBe('/sluice/');
    const page = await ask('GET', '/sluice/');
    expect([page.status, page.headers['content-type']]).toEqual([200, expect.stringContaining('text/html')]);
    const board = await ask('GET', '/sluice/queues/', { token: readToken });
    const base = /<base href="([^"]+)"/.exec(board.text)?.[1] ?? '';
    expect(base).toBe('/sluice/queues/');
    const filesOf = (html: string, at: string): string[] =>
      [...html.matchAll(/(?:src|href)="([^"#]+\.(?:js|css|svg|ico))"/g)].map(
        ([, file = '']) => new URL(file, `https://${exampleHost}${at}`).pathname,
      );
    const files = [...filesOf(page.text, '/sluice/'), ...filesOf(board.text, base)];
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) expect((await ask('GET', file, { token: readToken })).status, file).toBe(200);
  });

  test('a session: by the origin that a browser names, for TLS only, and for this console only', async () => {
    const { ask } = await aProxied(proxy);
    const origin = `https://${exampleHost}`;
    const login = await ask('POST', '/sluice/login', { body: { token: operatorToken }, headers: { origin } });
    expect(login.status).toBe(200);
    const cookie = String(login.headers['set-cookie']);
    expect(cookie).toMatch(/^sluice_session\.sluice=[\w.-]+; .*HttpOnly; Secure; SameSite=Strict$/);
    const headers = { cookie: cookie.split(';')[0] ?? '', origin };
    const discarded = await ask('POST', '/sluice/api/v1/dead-letters/discard', { body: { all: true }, headers });
    expect([discarded.status, discarded.text]).toEqual([200, '{"discarded":0}']);
    const foreign = { ...headers, origin: 'https://evil.example' };
    expect((await ask('DELETE', '/sluice/api/v1/session', { headers: foreign })).status).toBe(403);
    expect((await ask('DELETE', '/sluice/api/v1/session', { headers })).status).toBe(204);
  });

  test('every strategy and every game is reached, whatever its id means in a path', async () => {
    const { ask, client } = await aProxied(proxy);
    for (const id of awkwardIds) {
      await insertRun(client, { strategy_id: id });
      await insertRuntimeRecord(client, { game_id: id });
    }
    for (const id of awkwardIds) {
      const encoded = encodeURIComponent(id);
      const strategy = await ask('GET', `/sluice/api/v1/strategy?strategyId=${encoded}`, { token: readToken });
      expect(JSON.parse(strategy.text), id).toMatchObject({ strategyId: id, summary: { total: { rows: 1 } } });
      const game = await ask('GET', `/sluice/api/v1/runtime-record?gameId=${encoded}`, { token: readToken });
      expect(JSON.parse(game.text), id).toMatchObject({ gameId: id });
      // As one of the two, the original's field names are told of any id, too.
      const original = `/sluice/api/v1/strategies/custom/compare?a=${encoded}&b=${encoded}`;
      expect(JSON.parse((await ask('GET', original, { token: readToken })).text).a, id).toMatchObject({
        strategyId: id,
      });
    }
  });

  test('what a client says of where it comes from is not believed', async () => {
    const { ask } = await aProxied(proxy);
    const statuses: number[] = [];
    for (let n = 0; n <= 20; n += 1) {
      const headers = { 'x-forwarded-for': `198.51.100.${n}`, 'x-real-ip': `198.51.100.${n}` };
      statuses.push((await ask('POST', '/sluice/login', { body: { token: `wrong-${n}` }, headers })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 401), 429]);
  });

  test('a console without tokens refuses, and says why', async () => {
    const { ask } = await aProxied(proxy, { SLUICE_CONSOLE_BASE_PATH: '/sluice' });
    for (const url of ['/sluice/', '/sluice/api/v1/queues', '/sluice/queues/']) {
      const refused = await ask('GET', url);
      expect(refused.status, url).toBe(403);
      expect(refused.text).toMatch(/Without tokens, the console answers only/);
    }
  });
});
