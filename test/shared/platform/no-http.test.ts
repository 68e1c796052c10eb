import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createNoHttpAnswers } from '../../../shared/platform/no-http.ts';
import { openRaw, postHead } from '../../support/raw-http.ts';

/** A server that answers when it is told to, and a connection to it. */
async function aConnection() {
  const open: ServerResponse[] = [];
  const server = createServer((_request, response) => open.push(response));
  const noHttp = createNoHttpAnswers((status, { code }) => ({ type: 'text/é', body: { status, code } }));
  noHttp.observe(server);
  server.on('clientError', (error, socket) => noHttp.onClientError(error, socket as Socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const raw = await openRaw(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { raw, server, open };
}

const request = `${postHead('/', 'content-length: 2')}{}`;

test('no HTTP: what comes behind a request waits for its answer', async () => {
  const { raw, server, open } = await aConnection();
  raw.write(`${request}garbage\r\n\r\n`);
  await once(server, 'clientError');
  raw.write('more garbage');
  await once(server, 'clientError');
  open[0]?.end('the answer');
  expect(await raw.closed).toMatch(/^HTTP\/1\.1 200 .*the answer.*HTTP\/1\.1 400 Bad Request.*"HPE_INVALID_METHOD"}$/s);
});

test('no HTTP: it is answered at once where nothing else is answered', async () => {
  const first = await aConnection();
  first.raw.write('garbage\r\n\r\n');
  expect(await first.raw.closed).toMatch(/^HTTP\/1\.1 400 /);

  const idle = await aConnection();
  idle.raw.write(request);
  await once(idle.server, 'request');
  idle.open[0]?.end('the answer');
  await once(idle.open[0] as ServerResponse, 'close');
  idle.raw.write('garbage\r\n\r\n');
  expect(await idle.raw.closed).toMatch(/^HTTP\/1\.1 200 .*the answer.*HTTP\/1\.1 400 /s);

  const broken = await aConnection();
  broken.raw.write(`${postHead('/', 'transfer-encoding: chunked')}5\r\nhalf`);
  await once(broken.server, 'request');
  broken.raw.write('!no size\r\n');
  expect(await broken.raw.closed).toMatch(/^HTTP\/1\.1 400 .*HPE_/s);
});
