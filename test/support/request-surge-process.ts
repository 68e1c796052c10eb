import { randomBytes, randomUUID } from 'node:crypto';
import { setInterval as every } from 'node:timers/promises';
import { completedRequestSenderOptionsFrom, createCompletedRequestSender } from '../../producers/index.ts';
import { aRequest } from './request.ts';

/**
 * A service under a surge. It warms up with some durable sends, and on SIGUSR2 calls send TEST_RECORDS times at once. All
 * requests share one body of TEST_BODY_BYTES, so what memory grows by is the sender's. It prints its accounts as a line of
 * JSON again and again, with the greatest memory so far since it was warm.
 */
const count = Number(process.env['TEST_RECORDS'] ?? 0);
const responseBody = randomBytes(Number(process.env['TEST_BODY_BYTES'] ?? 1_000) / 2).toString('hex');

const sender = createCompletedRequestSender({
  ...completedRequestSenderOptionsFrom(process.env),
  logger: { warn: () => undefined },
});

const send = (durable: boolean) => sender.send(aRequest({ requestId: randomUUID(), responseBody }), { durable });

const warmUp = 300;
for (let index = 0; index < warmUp; index += 10) await Promise.all(Array.from({ length: 10 }, () => send(true)));
const warmRss = process.memoryUsage().rss;
let peakRss = warmRss;
let returned = 0;

process.once('SIGUSR2', () => {
  for (let index = 0; index < count; index += 1) void send(false).then(() => (returned += 1));
});

for await (const _ of every(10)) {
  peakRss = Math.max(peakRss, process.memoryUsage().rss);
  console.log(JSON.stringify({ ...sender.stats(), bytes: sender.depth().bytes, returned, warmRss, peakRss }));
}
