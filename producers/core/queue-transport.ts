import type { QueueName } from '../../shared/contracts/queues.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import { readTlsFiles } from '../../shared/platform/redis/redis-tls.ts';
import type { Sharding, Transport } from './transport.ts';

/** The queue and the connection to it. */
export interface QueueTransportOptions extends Sharding {
  target: RedisTarget;
  /** the name of the connection */
  name: string;
  queue: QueueName;
  namespace: string;
  /** a share of the server's maxmemory, above which nothing is added */
  memoryShare: number;
  /** whether successes are to wait before it is reached */
  holdsSuccessesBack: boolean;
  /** uniform in [0, 1) */
  random: () => number;
}

/**
 * Creates a transport that starts to load the Redis clients at once. They are most of the SDK's size. A host that only imports
 * the SDK, or has no Redis, as in its tests, does not load them; a host that records loads them as it starts and not with its
 * first record.
 *
 * @throws UsageError when a TLS file cannot be used
 */
export function createQueueTransport(options: QueueTransportOptions): Transport {
  // Whoever has named a wrong file is told at once, and not by records that are never sent.
  if (options.target.tls !== null) readTlsFiles(options.target.tls);
  let loading: Promise<Transport> | null = null;
  let loaded: Transport | null = null;
  const start = (): Promise<Transport> => {
    const started = load(options);
    started.then(
      (transport) => {
        loaded = transport;
      },
      // For example because no file descriptor is left: the send fails and the next one tries again.
      () => {
        if (loading === started) loading = null;
      },
    );
    return started;
  };
  loading = start();
  const admission: Pick<Transport, 'whySuccessesWait' | 'readMemory'> = {
    whySuccessesWait: () => loaded?.whySuccessesWait?.() ?? null,
    async readMemory() {
      loading ??= start();
      await (await loading).readMemory?.();
    },
  };
  return {
    loaded: loading.catch(() => undefined),
    async send(chunks, onMovedOn) {
      loading ??= start();
      await (await loading).send(chunks, onMovedOn);
    },
    get shardsLeftAlone() {
      return loaded?.shardsLeftAlone ?? 0;
    },
    mayMoveOn: () => loaded?.mayMoveOn?.() ?? false,
    async report(report) {
      loading ??= start();
      await (await loading).report?.(report);
    },
    ...(options.holdsSuccessesBack ? admission : {}),
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
