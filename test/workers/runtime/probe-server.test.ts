import { Counter, Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { type ProbeServerOptions, startProbeServer } from '../../../workers/runtime/probe-server.ts';

const token = 'a token of sixteen letters';

async function serve(options: Partial<ProbeServerOptions> = {}) {
  const registry = new Registry();
  new Counter({ name: 'test_total', help: 'for the test', registers: [registry] }).inc(7);
  const server = await startProbeServer({
    host: '127.0.0.1',
    port: 0,
    metricsToken: null,
    registries: [registry],
    whyNotReady: async () => null,
    livenessFailure: () => null,
    ...options,
  });
  onTestFinished(() => server.stop());
  const get = async (path: string, authorization?: string) => {
    const response = await fetch(
      `${server.url}${path}`,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { server, get };
}

test('probe: it listens on a free port of the address that it was given, and says where', async () => {
  const { server } = await serve();
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
});

test('probe: /healthz is 503 with the reason while the worker is stuck', async () => {
  const { get } = await serve({ livenessFailure: () => 'stuck: for a reason' });
  const { status, body } = await get('/healthz');
  expect(status).toBe(503);
  expect(JSON.parse(body)).toEqual({ status: 'unavailable', reason: 'stuck: for a reason' });
});

test('probe: /healthz says that the process gets on, whether or not it can work', async () => {
  const { get } = await serve({ whyNotReady: async () => 'Redis did not answer' });
  expect(await get('/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
});

test('probe: /readyz is 200 while the worker can work', async () => {
  const { get } = await serve();
  expect(await get('/readyz')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
});

test('probe: /readyz is 503 with the reason while it cannot, and asks anew each time', async () => {
  const reasons = ['Redis did not answer', null];
  const { get } = await serve({ whyNotReady: async () => reasons.shift() ?? null });
  const first = await get('/readyz');
  expect(first.status).toBe(503);
  expect(JSON.parse(first.body)).toEqual({ status: 'unavailable', reason: 'Redis did not answer' });
  expect((await get('/readyz')).status).toBe(200);
});

test('probe: /readyz is not 200 when the question itself fails', async () => {
  const { get } = await serve({ whyNotReady: () => Promise.reject(new Error('broken')) });
  expect((await get('/readyz')).status).toBeGreaterThanOrEqual(500);
});

test('probe: /metrics without a token set is open, in the format of Prometheus', async () => {
  const { get } = await serve();
  const { status, headers, body } = await get('/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(body).toContain('\ntest_total 7\n');
});

test('probe: /metrics with a token set is for those who have it', async () => {
  const { get } = await serve({ metricsToken: token });
  expect(await get('/metrics', `Bearer ${token}`)).toMatchObject({
    status: 200,
    body: expect.stringContaining('test_total 7'),
  });
});

test.each<[kind: string, authorization: string | undefined]>([
  ['no authorization', undefined],
  ['an empty one', ''],
  ['another token', 'Bearer another token of sixteen'],
  ['the beginning of the token', `Bearer ${token.slice(0, -1)}`],
  ['more than the token', `Bearer ${token}s`],
  ['the token alone', token],
  ['another scheme', `Basic ${token}`],
  ['no token', 'Bearer'],
])('probe: /metrics with a token set is 401 for %s', async (_kind, authorization) => {
  const { get } = await serve({ metricsToken: token });
  const { status, headers, body } = await get('/metrics', authorization);
  expect(status).toBe(401);
  expect(headers.get('www-authenticate')).toBe('Bearer');
  expect(body).not.toContain('test_total');
  expect(body).not.toContain(token);
});

test('probe: the probes ask for no token', async () => {
  const { get } = await serve({ metricsToken: token });
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
});

test('probe: there is nothing else', async () => {
  const { get } = await serve();
  expect((await get('/')).status).toBe(404);
  expect((await get('/metrics/x')).status).toBe(404);
});

test('probe: closing does not wait for a request under way', async () => {
  const asked = Promise.withResolvers<void>();
  const { server, get } = await serve({
    whyNotReady: () => {
      asked.resolve();
      return new Promise(() => undefined);
    },
  });
  const answer = expect(get('/readyz')).rejects.toThrow();
  await asked.promise;
  await server.stop();
  await answer;
});

test('probe: closed, it does not answer any more, though connections were kept open', async () => {
  const { server, get } = await serve();
  await get('/healthz');
  await server.stop();
  await expect(get('/healthz')).rejects.toThrow();
});
