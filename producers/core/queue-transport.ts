import type { QueueName } from '../../shared/contracts/queues.ts';
import { checkRedisUrl } from '../../shared/platform/redis/redis-url.ts';
import type { Transport } from './transport.ts';

/** Where a queue is, and who adds to it. */
export interface QueueTransportOptions {
  redisUrl: string;
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
 * @throws RangeError, which does not show the URL, when no client can be made from it
 */
export function createQueueTransport(options: QueueTransportOptions): Transport {
  checkRedisUrl(options.redisUrl);
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

async function load({ redisUrl, name, ...others }: QueueTransportOptions): Promise<Transport> {
  const [{ createBullmqTransport }, { createRedis }] = await Promise.all([
    import('./transport.ts'),
    import('../../shared/platform/redis/redis.ts'),
  ]);
  return createBullmqTransport({ redis: createRedis(redisUrl, { role: 'producer', name, logger: null }), ...others });
}
