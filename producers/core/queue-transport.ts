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
  const loading = load(options);
  return {
    // When it fails, each send tells.
    loaded: loading.catch(() => undefined),
    async send(chunks) {
      await (await loading).send(chunks);
    },
    async close() {
      await (await loading).close();
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
