import { rm, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createToken } from '../../gateway/access/create-token.ts';
import { aGateway, anInput, aRequestInput } from '../support/a-gateway.ts';
import { until } from '../support/fixtures.ts';
import { aTokensFile } from '../support/tokens-file.ts';

test('tokens: none is made for a sender that the file could not be used with', () => {
  for (const entry of [{ realms: [''] }, { creators: ['x'.repeat(513)] }, { name: 'a b' }, { recordsPerSecond: 0 }]) {
    const [field = ''] = Object.keys(entry);
    expect(() => createToken({ name: 'scoring', scopes: ['executions'], ...entry })).toThrow(
      new RegExp(`^the entry of the sender is not one for the file: ${field}`),
    );
  }
});

test('tokens: a sender sends what its token allows, and its records say who sent them', async () => {
  const { path, tokens } = await aTokensFile([
    { name: 'scoring-eu', scopes: ['executions'], realms: ['acme', 'zeta'] },
    { name: 'llm', scopes: ['requests'], creators: ['creator-1'] },
  ]);
  const { send, stored, metrics, log } = await aGateway({
    SLUICE_GATEWAY_TOKENS_FILE: path,
    SLUICE_METRICS_TOKEN: 'a-token-of-a-scraper',
  });
  const scoring = { token: tokens['scoring-eu'] as string };
  const llm = { token: tokens['llm'] as string };
  for (const sending of [{}, { token: 'sluice_wrong' }, { headers: { authorization: `Basic ${scoring.token}` } }]) {
    const refused = await send('/v1/executions', anInput({ realmId: 'acme' }), sending);
    expect(refused).toMatchObject({ status: 401, body: { error: { code: 'unauthenticated' } } });
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="sluice"');
  }
  expect((await send('/v1/executions', anInput({ realmId: 'acme' }), llm)).status).toBe(403);
  expect((await send('/v1/requests', aRequestInput(), scoring)).status).toBe(403);

  const realms = ['acme', 'other', undefined, 'zeta'].map((realmId) => anInput({ realmId }));
  const mixed = await send('/v1/executions', realms, scoring);
  expect(mixed).toMatchObject({ status: 202, body: { accepted: 2 } });
  expect(mixed.body.rejected.map(({ index, field }: { index: number; field: string }) => [index, field])).toEqual([
    [1, 'realmId'],
    [2, 'realmId'],
  ]);
  expect((await send('/v1/executions', anInput({ realmId: 'other' }), scoring)).status).toBe(403);
  expect((await send('/v1/requests', aRequestInput({ createdBy: ' creator-1 ' }), llm)).status).toBe(202);
  expect((await send('/v1/requests', aRequestInput({ createdBy: 'creator-2' }), llm)).status).toBe(403);
  const id = '0199a000-0000-7000-8000-00000000000a';
  const { statusCode: _, ...begun } = aRequestInput({ createdBy: 'creator-2' });
  expect((await send(`/v1/requests/${id}/begin`, begun, { ...llm, method: 'PUT' })).status).toBe(403);

  expect(await stored()).toMatchObject([
    { realmId: 'acme', notes: 'sender: scoring-eu' },
    { realmId: 'zeta', notes: 'sender: scoring-eu' },
  ]);
  expect(await stored('requests')).toMatchObject([{ createdBy: 'creator-1', notes: 'sender: llm' }]);
  const text = await metrics();
  expect(text).toContain('sluice_gateway_records_total{sender="scoring-eu",kind="executions",outcome="accepted"} 2\n');
  for (const token of Object.values(tokens)) expect(JSON.stringify(log) + text).not.toContain(token);
});

test('tokens: the metrics need a token of their own, and probes need none', async () => {
  const { path, tokens } = await aTokensFile([{}]);
  const one = await aGateway({ SLUICE_GATEWAY_TOKENS_FILE: path });
  const status = async (url: string, token?: string) =>
    (await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })).status;
  expect(await status(`${one.url}/metrics`, tokens['anybody'])).toBe(403);
  const other = await aGateway({ SLUICE_GATEWAY_TOKENS_FILE: path, SLUICE_METRICS_TOKEN: 'a-token-of-a-scraper' });
  expect(await status(`${other.url}/metrics`)).toBe(401);
  expect(await status(`${other.url}/metrics`, tokens['anybody'])).toBe(401);
  expect(await status(`${other.url}/metrics`, 'a-token-of-a-scraper')).toBe(200);
  expect(await status(`${other.url}/readyz`)).toBe(200);
});

test('tokens: two are valid while one takes the place of the other, and the file is read again when it changes', async () => {
  const { path, write } = await aTokensFile([{}]);
  const old = createToken({ name: 'scoring', scopes: ['executions'] });
  const next = createToken({ name: 'scoring', scopes: ['executions'] });
  const hashes = [...old.entry.sha256, ...next.entry.sha256];
  await writeFile(path, JSON.stringify({ senders: [{ ...old.entry, sha256: hashes }] }));
  const { send, log, metrics } = await aGateway({ SLUICE_GATEWAY_TOKENS_FILE: path }, { watchMs: 20 });
  const status = async (token: string) => (await send('/v1/executions', anInput(), { token })).status;
  expect([await status(old.token), await status(next.token)]).toEqual([202, 202]);

  await writeFile(path, JSON.stringify({ senders: [next.entry] }));
  await until(async () => (await status(old.token)) === 401);
  expect(await status(next.token)).toBe(202);

  await writeFile(path, '{"senders": [{"name": "a b"}]}');
  await until(() => log.some(({ level }) => level === 50));
  expect(await status(next.token)).toBe(202);
  expect(await metrics()).toContain('sluice_gateway_reload_failed{files="tokens"} 1\n');
  const { anybody } = await write([{}]);
  await until(async () => (await status(anybody as string)) === 202);
  expect(await metrics()).toContain('sluice_gateway_reload_failed{files="tokens"} 0\n');

  // A link to itself cannot even be looked at.
  await rm(path);
  await symlink(path, path);
  await until(async () => (await metrics()).includes('sluice_gateway_reload_failed{files="tokens"} 1\n'));
  expect(await status(anybody as string)).toBe(202);
});

test('tokens: who has sent more than the quota waits as long as the answer says, and others do not', async () => {
  const { path, tokens } = await aTokensFile([
    { name: 'limited', recordsPerSecond: 100 },
    { name: 'narrow', bytesPerSecond: 1_000 },
    { name: 'free' },
  ]);
  const { send, metrics } = await aGateway({ SLUICE_GATEWAY_TOKENS_FILE: path });
  const records = Array.from({ length: 500 }, () => anInput());
  for (const [name, seconds] of [
    ['limited', 3],
    ['narrow', 24],
  ] as const) {
    const token = tokens[name] as string;
    expect((await send('/v1/executions', records, { token })).status).toBe(202);
    const refused = await send('/v1/executions', anInput(), { token });
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'quota-exceeded' } } });
    const after = Number(refused.headers.get('retry-after'));
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThanOrEqual(seconds);
  }
  for (let time = 0; time < 3; time += 1)
    expect((await send('/v1/executions', records, { token: tokens['free'] as string })).status).toBe(202);
  expect(await metrics()).toContain('sluice_gateway_refusals_total{code="quota-exceeded"} 2\n');
});

test('tokens: a file that cannot be used keeps the gateway from starting, and the message shows no hash', async () => {
  const { path } = await aTokensFile([]);
  const hash = 'a'.repeat(64);
  const start = async (text: string): Promise<string> => {
    await writeFile(path, text);
    return aGateway({ SLUICE_GATEWAY_TOKENS_FILE: path }).then(
      () => 'started',
      (error: Error) => error.message,
    );
  };
  const entry = { name: 'a', sha256: [hash], scopes: ['executions'] };
  expect(await start('{')).toMatch(/^SLUICE_GATEWAY_TOKENS_FILE: ".*" is not what the gateway reads: /);
  expect(await start(JSON.stringify({ senders: [entry, entry] }))).toMatch(/names the sender a twice/);
  const twins = await start(JSON.stringify({ senders: [entry, { ...entry, name: 'b' }] }));
  expect(twins).toMatch(/has one token twice/);
  expect(twins).not.toContain(hash);
  expect(await start(JSON.stringify({ senders: [{ ...entry, realm: 'acme' }] }))).toMatch(/realm/);
});
