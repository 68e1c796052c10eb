import { Cluster, type RedisOptions, Redis as Standalone } from 'ioredis';
import { endsWithin } from '../deadline.ts';
import type { Logger } from '../logging/logger.ts';
import { createClusterClient, logLostNodes } from './redis-cluster.ts';
import { classifyRedisError } from './redis-errors.ts';
import { guard } from './redis-guard.ts';
import type { RedisTarget } from './redis-target.ts';
import { readTlsFiles } from './redis-tls.ts';

/** A client of one server, be it found by Sentinels, or of a cluster. */
export type Redis = Standalone | Cluster;

/** Waits between reconnects, in ms: quick at first, then every two seconds, for ever. */
const retryStrategy = (times: number): number => Math.min(times * 100, 2_000);

/**
 * What a producer wants of Redis: an answer now, or an error now. Nothing queues up in the client while the server is
 * away, and a command whose reply was lost is an error, since the caller's own buffer is the one that is bounded.
 */
const failFast = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy,
  connectTimeout: 5_000,
  keepAlive: 10_000,
} satisfies RedisOptions;

/** What a BullMQ worker wants: to wait for as long as it takes. BullMQ asks for `maxRetriesPerRequest: null`. */
const waitForever = {
  maxRetriesPerRequest: null,
  retryStrategy,
  connectTimeout: 5_000,
  keepAlive: 10_000,
} satisfies RedisOptions;

/** The consumer of a stream wants an answer or an error, as a producer does; it has a place to ask from again. */
const optionsOf = { producer: failFast, worker: waitForever, consumer: failFast };

/** BullMQ's longest question, for a job, is answered within ten seconds. */
const defaultSilenceMs = 30_000;

/** After a failover the old primary is a replica, and writing to it fails; a new connection finds the new primary. */
const isFailover = (error: Error): boolean => classifyRedisError(error).code === 'READONLY';
const reconnect = 1;
const reconnectAndRepeat = 2;

export interface RedisClientOptions {
  role: keyof typeof optionsOf;
  /** of the connection, as the server lists it */
  name: string;
  logger: Logger | null;
  /**
   * how long a server may say nothing to a worker or a consumer that waits for an answer before the connection is taken to be
   * dead: it is given up, and what was asked is asked again on a new one. @default 30000
   */
  silenceMs?: number;
}

/**
 * The one door to Redis. Connects when first used, reconnects by itself, and logs a lost connection once until it is back.
 * A server that refuses the database counts as one that cannot be connected to.
 *
 * @throws UsageError when a file for TLS cannot be used
 */
export function createRedis(target: RedisTarget, options: RedisClientOptions): Redis {
  const client = target.topology === 'cluster' ? openCluster(target, options) : openServer(target, options);
  // Not for workers: BullMQ waits for a connection that is closed, and gives up over any other error.
  if (options.role !== 'worker') tellWhyNotConnected(client);
  return client;
}

/** What every connection to a server of the target is made with. @throws UsageError when a file for TLS cannot be used */
function connectionOptions(
  { username, password, tls }: RedisTarget,
  { role, name, silenceMs = defaultSilenceMs }: RedisClientOptions,
) {
  return {
    ...optionsOf[role],
    ...(role === 'producer' ? {} : { socketTimeout: silenceMs }),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: readTlsFiles(tls) }),
    connectionName: name,
  } satisfies RedisOptions;
}

function openServer(target: Exclude<RedisTarget, { topology: 'cluster' }>, options: RedisClientOptions): Standalone {
  const settings = {
    ...connectionOptions(target, options),
    reconnectOnError: (error: Error) =>
      isFailover(error) && (options.role === 'worker' ? reconnectAndRepeat : reconnect),
    lazyConnect: true,
    ...(target.db === null ? {} : { db: target.db }),
  };
  const client =
    target.topology === 'server'
      ? // The client takes rediss in capitals for one without TLS. What the URL says goes before the settings.
        new Standalone(
          target.url.replace(/^rediss?:/i, (scheme) => scheme.toLowerCase()),
          settings,
        )
      : new Standalone({ ...settings, ...sentinelOptions(target, settings) });
  guard(client);
  logLoss(client, options);
  return client;
}

/** How Sentinels are asked for the primary: on every connection anew, so that a failover needs nothing but a new connection. */
function sentinelOptions(
  { sentinels, masterName, sentinelUsername, sentinelPassword }: Extract<RedisTarget, { topology: 'sentinel' }>,
  { tls }: Pick<RedisOptions, 'tls'>,
) {
  return {
    sentinels,
    name: masterName,
    role: 'master' as const,
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: 2_000,
    ...(sentinelUsername === null ? {} : { sentinelUsername }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  };
}

function openCluster(target: Extract<RedisTarget, { topology: 'cluster' }>, options: RedisClientOptions): Cluster {
  const { retryStrategy: clusterRetryStrategy, ...redisOptions } = connectionOptions(target, options);
  const client = createClusterClient(target, {
    redisOptions: { ...redisOptions, reconnectOnError: isFailover },
    retryStrategy: clusterRetryStrategy,
  });
  logLostNodes(client, options);
  return client;
}

function logLoss(client: Standalone, { name, logger }: RedisClientOptions): void {
  let lost = false;
  client.on('error', (error: Error) => {
    if (lost) return;
    lost = true;
    logger?.warn({ err: error, connection: name }, 'redis connection lost, reconnecting');
  });
  client.on('ready', () => {
    if (lost) logger?.info({ connection: name }, 'redis connection restored');
    lost = false;
  });
}

/** A server that is stopped, or out of reach, does not take leave. */
const leaveWithinMs = 50;

/** Closes a connection, and opens it no more. Resolves when nothing of it is left, which a server can hardly put off. */
export async function disconnect(redis: Redis): Promise<void> {
  // In other states there is no socket, and the client does not say when it has ended.
  if (!['connecting', 'connect', 'ready'].includes(redis.status)) return redis.disconnect();
  const ended = new Promise((resolve) => redis.once('end', resolve));
  redis.disconnect();
  if ((await endsWithin(ended, leaveWithinMs)) || redis instanceof Cluster) return;
  redis.stream?.destroy();
  await endsWithin(ended, leaveWithinMs);
}

/**
 * Makes `connect()` reject with what went wrong: by itself the client says no more than that the connection is closed. With
 * Sentinels it would say nothing as long as none of them answers. The client goes on trying all the same.
 */
function tellWhyNotConnected(client: Redis): void {
  const connect = client.connect.bind(client);
  let reason: Error | null = null;
  let onReason: (error: Error) => void = () => undefined;
  client.on(client instanceof Cluster ? 'node error' : 'error', (error: Error) => {
    reason ??= error;
    onReason(error);
  });
  client.connect = async (): Promise<void> => {
    reason = null;
    // One node of a cluster may be away; it is enough that another one is there. No withResolvers: services run on Node 20.
    const failed = new Promise<never>((_resolve, reject) => {
      onReason = client instanceof Cluster ? () => undefined : reject;
    });
    failed.catch(() => undefined);
    try {
      await Promise.race([connect(), failed]);
    } catch (error) {
      throw reason ?? error;
    }
  };
}
