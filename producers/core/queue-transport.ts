import type { QueueName } from '../../shared/contracts/queues.ts';
import { checkRedisUrl } from '../../shared/platform/redis/redis-url.ts';
import type { Transport } from './transport.ts';

/** The queue and the connection to it. */
export interface QueueTransportOptions {
  redisUrl: string;
  /** the name of the connection */
  name: string;
  queue: QueueName;
  namespace: string;
  /** a share of the server's maxmemory, above which nothing is added */
  memoryShare: number;
}

/**
 * Creates a transport that starts to load the Redis clients at once. They are most of the SDK's size. A host that only imports
 * the SDK, or has no Redis, as in its tests, does not load them; a host that records loads them as it starts and not with its
 * first record.
 *
 * @throws RangeError, which does not show the URL, when the URL is invalid
 */
export function createQueueTransport(options: QueueTransportOptions): Transport {
  checkRedisUrl(options.redisUrl);
  let loading: Promise<Transport> | null = null;
  const start = (): Promise<Transport> => {
    const started = load(options);
    // If it fails, for example because no file descriptor is left, the send fails and the next one tries again.
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
