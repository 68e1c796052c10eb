import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../../../dev/servers/free-port.ts';
import { readGatewayFacts } from '../../../doctor/gateway/gateway-facts.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { metricsToken } from '../../support/a-console.ts';
import { aGateway } from '../../support/a-gateway.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { aTokensFile } from '../../support/tokens-file.ts';

const withinMs = 5_000;

async function look(environment: Record<string, string>) {
  return readGatewayFacts(loadConfig(environment, ['gateway']), environment, withinMs);
}

const portOf = (url: string): string => new URL(url).port;

test('gateway facts: where nothing is said of a gateway, nobody is asked', async () => {
  expect(await look({})).toBeNull();
});

test('gateway facts: one that runs is asked whether it takes records, and which files it cannot use', async () => {
  const { path: file } = await aTokensFile([{ name: 'shop' }]);
  const { url } = await aGateway(
    { SLUICE_GATEWAY_TOKENS_FILE: file, SLUICE_METRICS_TOKEN: metricsToken },
    { watchMs: 20 },
  );
  const environment = {
    SLUICE_GATEWAY_PORT: portOf(url),
    SLUICE_GATEWAY_TOKENS_FILE: file,
    SLUICE_METRICS_TOKEN: metricsToken,
  };
  expect(await look(environment)).toMatchObject({
    tokens: { isSet: true, problem: null },
    tls: { isSet: false, problem: null },
    probe: { kind: 'answered', url, reason: null, certificateEndsAtMs: null, unusableFiles: [] },
  });
  await writeFile(file, '{"senders":[]}');
  const facts = await until(async () => {
    const now = await look(environment);
    return now?.probe.kind === 'answered' && now.probe.unusableFiles?.length === 1 && now;
  });
  expect(facts.tokens.problem).toContain('SLUICE_GATEWAY_TOKENS_FILE');
  expect(facts.probe).toMatchObject({ unusableFiles: ['tokens'] });
  // Without the token for metrics, nobody can tell.
  const { SLUICE_METRICS_TOKEN: _token, ...without } = environment;
  expect((await look(without))?.probe).toMatchObject({ kind: 'answered', unusableFiles: null });
});

test('gateway facts: the certificate is read from the file and where it is shown, also if senders need their own', async () => {
  const certificate = await makeCertificates(await createDirectory());
  const tls = {
    SLUICE_GATEWAY_TLS_CERT_FILE: certificate('server.pem'),
    SLUICE_GATEWAY_TLS_KEY_FILE: certificate('server.key'),
  };
  const open = await aGateway(tls);
  const shown = await look({ ...tls, SLUICE_GATEWAY_PORT: portOf(open.url) });
  const endsAtMs = shown?.tls.endsAtMs ?? 0;
  expect(endsAtMs - Date.now()).toBeGreaterThan(86_400_000);
  expect(shown?.probe).toMatchObject({ kind: 'answered', reason: null, certificateEndsAtMs: endsAtMs });
  const closed = await aGateway({ ...tls, SLUICE_GATEWAY_TLS_CLIENT_CA_FILE: certificate('ca.pem') });
  const asked = await look({ ...tls, SLUICE_GATEWAY_PORT: portOf(closed.url) });
  expect(asked?.probe).toMatchObject({ kind: 'answered', asksForCertificates: true, certificateEndsAtMs: endsAtMs });
});

test('gateway facts: a port where nobody listens, and files that are none, are told as such', async () => {
  const dir = await createDirectory();
  const facts = await look({
    SLUICE_GATEWAY_PORT: String(await freePort()),
    SLUICE_GATEWAY_TOKENS_FILE: join(dir, 'none.json'),
    SLUICE_GATEWAY_TLS_CERT_FILE: join(dir, 'none.pem'),
    SLUICE_GATEWAY_TLS_KEY_FILE: join(dir, 'none.key'),
  });
  expect(facts).toMatchObject({
    tokens: { problem: expect.stringContaining('ENOENT') },
    tls: { problem: expect.stringContaining('ENOENT'), endsAtMs: null },
    probe: { kind: 'silent', code: 'ECONNREFUSED' },
  });
});
