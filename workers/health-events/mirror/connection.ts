import { isCluster } from '../../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import type { ClusterOptions } from '../../../shared/platform/redis/redis-cluster.ts';

/** How many times the original's client tries a command again over a lost connection, and the longest wait between. */
const retries = 3;
const maxRetryMs = 512;

/**
 * A connection with the original's patience: a command outlives a lost connection for a few quick attempts, then fails,
 * which ends the consumer. Connects when first used; whoever asked for it closes it.
 *
 * @param redis to be connected like, such as the worker's own, which waits for ever
 */
export function createImpatientConnection(redis: Redis, name: string): Redis {
  const waitMs = (times: number): number => Math.min(8 * 2 ** times, maxRetryMs);
  if (isCluster(redis)) {
    const connection = redis.duplicate<ClusterOptions>([], {
      lazyConnect: true,
      enableOfflineQueue: true,
      maxRedirections: retries,
      retryDelayOnFailover: maxRetryMs,
      clusterRetryStrategy: (times) => (times > retries ? null : waitMs(times)),
      redisOptions: { connectionName: name, maxRetriesPerRequest: retries, reconnectOnError: () => false },
    });
    connection.on('error', () => undefined);
    return connection;
  }
  const connection = redis.duplicate({
    connectionName: name,
    lazyConnect: true,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: retries,
    retryStrategy: waitMs,
    // A server that has become a replica refuses each command by itself, and the consumer ends over it.
    reconnectOnError: () => false,
  });
  // Each command says so by itself.
  connection.on('error', () => undefined);
  return connection;
}
