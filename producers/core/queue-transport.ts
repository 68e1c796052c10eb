import type { QueueName } from '../../shared/contracts/queues.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import { readTlsFiles } from '../../shared/platform/redis/redis-tls.ts';
import type { Transport } from './transport.ts';

/** Where a queue is, and who adds to it. */
export interface QueueTransportOptions {
  target: RedisTarget;
  /** of the connection */
  name: string;
  queue: QueueName;
  namespace: string;
  /** of the server's maxmemory: above it nothing is added */
  memoryShare: number;
}

/**
 * A transport whose clients of Redis are loaded when it is made. They are most of what the SDK weighs, and a host that only
 * imports it, or has no Redis, as in its tests, does without; a host that records loads them as it starts, and not with its
 * first record.
 *
 * @throws UsageError when a file for TLS cannot be used
 */
export function createQueueTransport(options: QueueTransportOptions): Transport {
  // Whoever has named a wrong file is told at once, and not by records that are never sent.
  if (options.target.tls !== null) readTlsFiles(options.target.tls);
  let loading: Promise<Transport> | null = null;
  const start = (): Promise<Transport> => {
    const started = load(options);
    // When it fails, as with no descriptor left, that send tells, and the next one tries again.
    started.catch(() => {
      if (loading === started) loading = null;
    });
    return started;
  };
  loading = start();
  return {
    loaded: loading.catch(() => undefined),
    async send(chunks) {
      loading ??= start();
      await (await loading).send(chunks);
    },
    async close() {
      const transport = await loading?.catch(() => null);
      await transport?.close();
    },
  };
}

async function load({ target, name, ...others }: QueueTransportOptions): Promise<Transport> {
  const [{ createBullmqTransport }, { createRedis }] = await Promise.all([
    import('./transport.ts'),
    import('../../shared/platform/redis/redis.ts'),
  ]);
  return createBullmqTransport({ redis: createRedis(target, { role: 'producer', name, logger: null }), ...others });
}
