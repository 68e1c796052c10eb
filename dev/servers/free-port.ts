import { createServer } from 'node:net';

/**
 * A TCP port that was free on loopback a moment ago. Another process may still take it before it is bound,
 * so the caller must be ready to ask for another one.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
