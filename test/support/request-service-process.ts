import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { completedRequestSenderOptionsFrom, createCompletedRequestSender } from '../../producers/index.ts';
import { aRequest } from './request.ts';

/**
 * A gateway that answers nobody before it is told to stop: on SIGTERM it takes no more connections, answers all requests
 * that are in flight, sends the record of each, and closes. Prints lines of JSON: its port, how many are in flight, and
 * how its close ended.
 */
const sender = createCompletedRequestSender(completedRequestSenderOptionsFrom(process.env));
const stopping = once(process, 'SIGTERM');
let inFlight = 0;
const sends: Promise<void>[] = [];

const server = createServer(async (request, response) => {
  inFlight += 1;
  console.log(JSON.stringify({ inFlight }));
  await stopping;
  const requestId = String(request.headers['x-request-id']);
  response.end('answer', () => {
    sends.push(sender.send(aRequest({ requestId, responseBody: 'answer' })));
  });
});

server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
await stopping;
server.close();
await once(server, 'close');
const results = await Promise.allSettled(sends);
const closed = await sender.close({ timeoutMs: 10_000 });
console.log(JSON.stringify({ sends: results.filter(({ status }) => status === 'fulfilled').length, closed }));
