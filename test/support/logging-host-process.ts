import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { createProducerLogger } from '../../producers/core/logger.ts';
import { createExecutionObserver, executionObserverOptionsFrom } from '../../producers/index.ts';
import { anExecution } from './execution.ts';

/**
 * A service with an observer whose Redis is away, and whose default logger says more than a pipe can hold. It answers each
 * request with its metrics, says its port to its parent, and ends itself on SIGTERM.
 */
const registry = new Registry();
const observer = createExecutionObserver({ ...executionObserverOptionsFrom(process.env), registry });
const logger = createProducerLogger(undefined, registry);

const server = createServer(async (_request, response) => {
  observer.record(anExecution());
  for (let n = 0; n < 3_000; n += 1) logger.warn({ n, filler: 'x'.repeat(500) }, 'a line');
  response.end(await registry.metrics());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });
process.once('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await observer.close({ timeoutMs: 500 });
  process.exit(0);
});
