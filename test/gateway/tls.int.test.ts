import { copyFile, readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { aGateway, anInput } from '../support/a-gateway.ts';
import { makeCertificates } from '../support/certificates.ts';
import { createDirectory, until } from '../support/fixtures.ts';

/** Posts an execution over TLS. @returns the status and the server's certificate; the code of the error where there is none */
function post(url: string, options: { ca: Buffer; cert?: Buffer; key?: Buffer }) {
  const address = `${url.replace('127.0.0.1', 'localhost')}/v1/executions`;
  const headers = { 'content-type': 'application/json' };
  return new Promise<{ status: number; serial: string } | string>((resolve) => {
    const call = request(address, { method: 'POST', headers, agent: false, ...options }, (answer) => {
      const { serialNumber } = (answer.socket as import('node:tls').TLSSocket).getPeerCertificate();
      answer.resume().once('end', () => resolve({ status: answer.statusCode ?? 0, serial: serialNumber }));
    });
    call.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    call.end(JSON.stringify(anInput()));
  });
}

test('TLS: the certificate is that of the files, also after they have changed, and a sender needs its own where it is asked for', async () => {
  const first = await makeCertificates(await createDirectory());
  const second = await makeCertificates(await createDirectory());
  const dir = await createDirectory();
  const place = async (file: typeof first): Promise<void> => {
    for (const name of ['server.pem', 'server.key', 'ca.pem']) await copyFile(file(name), join(dir, name));
  };
  await place(first);
  const { url, log } = await aGateway(
    {
      SLUICE_GATEWAY_TLS_CERT_FILE: join(dir, 'server.pem'),
      SLUICE_GATEWAY_TLS_KEY_FILE: join(dir, 'server.key'),
      SLUICE_GATEWAY_TLS_CLIENT_CA_FILE: join(dir, 'ca.pem'),
    },
    { watchMs: 20 },
  );
  expect(url).toMatch(/^https:/);
  const clientOf = async (file: typeof first) => ({
    ca: await readFile(file('ca.pem')),
    cert: await readFile(file('client.pem')),
    key: await readFile(file('client.key')),
  });
  const { ca, ...own } = await clientOf(first);
  const before = await post(url, { ca, ...own });
  expect(before).toMatchObject({ status: 202 });
  expect(await post(url, { ca })).toBeTypeOf('string');

  await place(second);
  const client = await clientOf(second);
  const after = await until(async () => {
    const answer = await post(url, client);
    return typeof answer !== 'string' && answer;
  });
  expect(after.status).toBe(202);
  expect(after).not.toEqual(before);
  expect(await post(url, { ...client, ...own })).toBeTypeOf('string');

  await copyFile(first('server.key'), join(dir, 'server.key'));
  await until(() => log.some(({ level }) => level === 50));
  expect(await post(url, client)).toMatchObject({ status: 202 });
});
