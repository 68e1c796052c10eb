import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { parseHeaders, parseTarget, postJson } from '../../../../cli/commands/executions/post-json.ts';
import { UsageError } from '../../../../shared/platform/errors.ts';

async function aServer(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/simulate`);
}

const options = { headers: new Headers(), timeoutMs: 10_000, maxBytes: 100 };

test('post: sends JSON with the headers, and gives status and body whatever the status is', async () => {
  const url = await aServer((request, response) => {
    response.statusCode = 418;
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () =>
      response.end(`${request.method} ${request.headers['content-type']} ${request.headers['x-key']} ${body}`),
    );
  });
  const answer = await postJson(url, '{"a":1}', { ...options, headers: parseHeaders(['X-Key: k:1']) });
  expect(answer).toEqual({ status: 418, body: 'POST application/json k:1 {"a":1}', isCut: false });
});

test('post: an answer without an end is read up to its bound, and a redirection is not followed', async () => {
  const endless = await aServer((_, response) => {
    const write = (): void => {
      while (!response.destroyed && response.write('x'.repeat(1_000)));
    };
    response.on('drain', write);
    write();
  });
  expect(await postJson(endless, '{}', options)).toEqual({ status: 200, body: 'x'.repeat(100), isCut: true });
  const elsewhere = await aServer((_, response) => response.writeHead(307, { location: endless.href }).end('moved'));
  expect(await postJson(elsewhere, '{}', options)).toEqual({ status: 307, body: 'moved', isCut: false });
});

test('post: no answer, and nobody there, are told with the server and without the path', async () => {
  const silent = await aServer(() => undefined);
  silent.search = '?token=s3cret';
  await expect(postJson(silent, '{}', { ...options, timeoutMs: 50 })).rejects.toThrow(
    /^http:\/\/127\.0\.0\.1:\d+: no response within 0\.05 s$/,
  );
  const nobody = new URL('http://127.0.0.1:1/');
  await expect(postJson(nobody, '{}', options)).rejects.toThrow(/^http:\/\/127\.0\.0\.1:1: /);
});

test.each([
  'file:///etc/passwd',
  'ftp://host/',
  'host:80',
  '/simulate',
  'javascript:1',
  'http://user:s3cret@host/',
  '',
])('target: %j is refused, without a secret', (text) => {
  expect(() => parseTarget(text)).toThrow(UsageError);
  expect(() => parseTarget(text)).not.toThrow(/s3cret/);
});

test.each(['X-Key', ': v', 'X Key: s3cret', 'X-Key: s3cret\r\nX-Other: 1'])(
  'header: %j is refused, without its value',
  (line) => {
    expect(() => parseHeaders([line])).toThrow(UsageError);
    expect(() => parseHeaders([line])).not.toThrow(/s3cret/);
  },
);
