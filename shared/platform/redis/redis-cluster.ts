import { Cluster, type Command, type Redis as Standalone } from 'ioredis';
import type { Logger } from '../logging/logger.ts';
import { classifyRedisError } from './redis-errors.ts';
import { goOnWithoutInfo, guard, hideCommands, letScriptsMakeRoom } from './redis-guard.ts';
import type { RedisTarget } from './redis-target.ts';

export type ClusterOptions = NonNullable<ConstructorParameters<typeof Cluster>[1]>;
export type NodeOptions = NonNullable<ClusterOptions['redisOptions']>;

/** Waits before a command is sent again whose node went away, in ms. */
const resendMs = { first: 100, most: 2_000 };

/**
 * A client of a Redis Cluster. Its node clients and its duplicates are held to the same rules as the client of one server.
 *
 * A node client of the library does not reconnect: it goes, and with it the commands on their way. The next command finds
 * out from the other nodes who has its slot now. What asks to wait for as long as it takes, as BullMQ's workers do, has
 * such commands sent again here; to all others they are errors, as with one server.
 *
 * @param options.redisOptions of its connections; `maxRetriesPerRequest` null: a command outlives the loss of its node, 0: none
 *   waits in the client for a cluster that is not there
 */
export function createClusterClient(
  { nodes, natMap }: Extract<RedisTarget, { topology: 'cluster' }>,
  { redisOptions, retryStrategy }: { redisOptions: NodeOptions; retryStrategy(times: number): number },
): Cluster {
  const options: ClusterOptions = {
    natMap,
    redisOptions,
    lazyConnect: true,
    // Else the second command to a node that is just being connected to would be refused; see `refuseUnlessReady`.
    enableOfflineQueue: true,
    clusterRetryStrategy: retryStrategy,
    // Not asked for: it needs one right more, and a cluster that is down says so in its answers.
    enableReadyCheck: false,
    // The names of hosts are left to the connection: certificates are for names, and each new connection looks them up again.
    dnsLookup: (address, callback) => callback(null, address),
    slotsRefreshTimeout: 5_000,
    // What is sent again, and what is told, is decided below.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
  };
  const client = new Cluster(nodes, options);
  guardCluster(client);
  return client;
}

/** What holds for a client of a cluster, for its node clients, and for its duplicates. */
function guardCluster(client: Cluster): void {
  hideCommands(client);
  letScriptsMakeRoom(client);
  askAnyForInfo(client);
  goOnWithoutInfo(client);
  neverSubscribe(client);
  const retries = client.options.redisOptions?.maxRetriesPerRequest;
  if (retries === null) sendAgain(client, stayOpen(client));
  else if (retries === 0) refuseUnlessReady(client);
  client.on('+node', (node: Standalone) => {
    guard(node);
    connectNoReplica(node);
  });
  endAfterClose(client);
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (nodes, override): Cluster => {
    const copy = duplicate(nodes, override);
    guardCluster(copy);
    // Else it would keep a connection to some node for the sake of this one question.
    copy.info = client.info;
    return copy;
  };
}

/**
 * Has INFO answered by whichever primary answers first. By itself the client asks one at random, which may be away, and BullMQ
 * begins with nothing before it has an answer.
 */
function askAnyForInfo(client: Cluster): void {
  const info = client.info.bind(client) as (...sections: string[]) => Promise<string>;
  client.info = ((...sections: string[]) => {
    const primaries = client.nodes('master');
    return primaries.length === 0
      ? info(...sections)
      : Promise.any(primaries.map((node) => node.info(...sections))).catch(() => info(...sections));
  }) as Cluster['info'];
}

/**
 * By itself a client connects to each replica among the nodes that it was given, to tell it that it would read there, which nobody
 * here does. A replica that is connected to after all is told then.
 */
function connectNoReplica(node: Standalone): void {
  const readonly = node.readonly.bind(node);
  node.readonly = (async () => (node.status === 'wait' ? 'OK' : readonly())) as Standalone['readonly'];
}

/** By itself each client keeps a connection for subscriptions, which nobody here makes. */
function neverSubscribe(client: Cluster): void {
  Reflect.set(Reflect.get(client, 'subscriber'), 'start', () => undefined);
}

/**
 * Has a closed client end, or wait for its next try to connect. By itself it does so only once: each further node that takes
 * leave sets the status back to `close`, where it stays, and nobody would ever connect it again.
 */
function endAfterClose(client: Cluster): void {
  client.on('close', () => {
    setImmediate(() => {
      if (client.status !== 'close') return;
      const isToReconnect = Reflect.get(client, 'reconnectTimeout') != null;
      Reflect.apply(Reflect.get(client, 'setStatus'), client, [isToReconnect ? 'reconnecting' : 'end']);
    });
  });
}

/**
 * Makes a client that is asked to connect try for as long as it takes. By itself it gives up when no node is there and it was
 * closed before, and BullMQ closes it then: it would never come back.
 *
 * @returns whether nobody has closed it for good
 */
function stayOpen(client: Cluster): () => boolean {
  let isOpen = true;
  const { connect, disconnect, quit } = bound(client);
  client.disconnect = (reconnect = false) => {
    if (!reconnect) isOpen = false;
    disconnect(reconnect);
  };
  client.quit = ((...args: Parameters<typeof quit>) => {
    isOpen = false;
    return quit(...args);
  }) as Cluster['quit'];
  client.connect = async (): Promise<void> => {
    isOpen = true;
    // Set when it was closed, and taken back by the library only when it has found a node.
    Reflect.set(client, 'manuallyClosing', false);
    await connect().catch(() => untilReady(client));
  };
  return () => isOpen;
}

function bound(client: Cluster) {
  return {
    connect: client.connect.bind(client),
    disconnect: client.disconnect.bind(client),
    quit: client.quit.bind(client),
  };
}

/** @throws Error when it is closed */
async function untilReady(client: Cluster): Promise<void> {
  if (client.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const settle = (end: () => void) => () => {
      client.off('ready', onReady);
      client.off('end', onEnd);
      end();
    };
    const onReady = settle(resolve);
    const onEnd = settle(() => reject(new Error('Connection is closed.')));
    client.on('ready', onReady);
    client.on('end', onEnd);
  });
}

/** Has nothing wait in the client for a cluster that is not there, as the client of one server has it for who wants an answer now. */
function refuseUnlessReady(client: Cluster): void {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command: Command, stream, node) => {
    if (client.status === 'ready') return send(command, stream, node);
    if (client.status === 'wait') client.connect().catch(() => undefined);
    command.reject(new Error(`Cluster isn't ready (${client.status})`));
    return command.promise;
  };
}

/** Sends commands again that were lost with their node, after a new look at who has which slot. */
function sendAgain(client: Cluster, isOpen: () => boolean): void {
  const send = client.sendCommand.bind(client);
  const ours = new WeakSet<Command>();
  client.sendCommand = (command: Command, stream, node) => {
    // A pipeline decides for all of its commands together.
    if (node === undefined && !ours.has(command)) {
      ours.add(command);
      const { reject } = command;
      let losses = 0;
      command.reject = (error: Error) => {
        const { class: kind } = classifyRedisError(error);
        if (!isOpen() || (kind !== 'unreachable' && kind !== 'unanswered')) return reject(error);
        losses += 1;
        const waitMs = Math.min(resendMs.first * losses, resendMs.most);
        setTimeout(() => {
          client.refreshSlotsCache(() => void send(command, stream));
        }, waitMs);
      };
    }
    return send(command, stream, node);
  };
}

/**
 * Logs each node that is lost once, until it is back or the cluster does without it.
 */
export function logLostNodes(client: Cluster, { name, logger }: { name: string; logger: Logger | null }): void {
  const lost = new Set<string>();
  const isBack = (key: string): void => {
    if (lost.delete(key) && lost.size === 0) logger?.info({ connection: name }, 'redis connection restored');
  };
  const lose = (error: Error, key: string): void => {
    if (lost.has(key)) return;
    lost.add(key);
    // Of a cluster, a node; its address is no secret.
    logger?.warn({ err: error, connection: name, node: key }, 'redis connection lost, reconnecting');
  };
  client.on('node error', lose);
  client.on('error', (error: Error) => lose(error, 'all'));
  client.on('ready', () => isBack('all'));
  client.on('+node', (node: Standalone) => node.on('ready', () => isBack(keyOf(node))));
  client.on('refresh', () => {
    const members = new Set(client.nodes().map(keyOf));
    for (const key of [...lost]) if (key !== 'all' && !members.has(key)) isBack(key);
  });
}

function keyOf({ options: { host, port } }: Standalone): string {
  return `${host}:${port}`;
}
