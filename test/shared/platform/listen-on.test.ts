import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listenOn } from '../../../shared/platform/listen-on.ts';

test('listening: where a port is taken, the variables and a remedy are told, and no code that looks like a database', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const server = {
    listen: (options: { host: string; port: number }) =>
      new Promise<string>((resolve, reject) => {
        createServer()
          .once('error', reject)
          .listen(options, () => resolve('http://there'));
      }),
  };
  try {
    const failed = await listenOn(server, { host: '127.0.0.1', port, variables: 'SLUICE_X' }).catch((error) => error);
    expect(failed.message).toMatch(/^SLUICE_X_HOST, SLUICE_X_PORT: listen EADDRINUSE.*choose another port/);
    expect(failed).not.toHaveProperty('code');
  } finally {
    other.close();
  }
});

test('listening: an error without a remedy is told as it is', async () => {
  const server = { listen: () => Promise.reject(Object.assign(new Error('listen EX'), { code: 'EX' })) };
  await expect(listenOn(server, { host: 'h', port: 1, variables: 'SLUICE_X' })).rejects.toThrow(
    /^SLUICE_X_HOST, SLUICE_X_PORT: listen EX$/,
  );
});
