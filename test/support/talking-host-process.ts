import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import {
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
  createExecutionObserver,
  executionObserverOptionsFrom,
} from '../../producers/index.ts';
import { anExecution } from './execution.ts';
import { aRequest } from './request.ts';

/**
 * A service that records and sends all the time, until SIGTERM. Its observer has the SDK's own logger, its sender the console,
 * and it prints whatever a send is refused with, as services do. `MARKER` is in all that nobody may print.
 */
const marker = process.env['MARKER'] ?? '';
const registry = new Registry();
const observer = createExecutionObserver({ ...executionObserverOptionsFrom(process.env), registry });
const sender = createCompletedRequestSender({
  ...completedRequestSenderOptionsFrom(process.env),
  registry,
  logger: console,
});
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});
while (!stopping) {
  observer.record(
    anExecution({
      status: 'error',
      errorMessage: marker,
      input: { marker },
      trace: [{ nodeId: marker, type: 'x', value: marker }],
    }),
  );
  const sending = sender.send(aRequest({ requestBody: marker, responseBody: marker, apiKey: marker }), {
    durable: true,
  });
  sending.catch((error: unknown) => console.error('a send was refused', error));
  await sleep(50);
}
console.error(await observer.close({ timeoutMs: 500 }), await sender.close({ timeoutMs: 500 }));
process.exit(0);
