import { type Command, Redis, type RedisOptions, ReplyError } from 'ioredis';
import { endsWithin } from '../deadline.ts';
import { withoutArguments } from '../error-report.ts';
import type { Logger } from '../logging/logger.ts';
import { classifyRedisError } from './redis-errors.ts';
import { evenWhenFull, isNeededWhenFull } from './redis-scripts.ts';
import { checkRedisUrl } from './redis-url.ts';

export type { Redis } from 'ioredis';

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

/**
 * The one door to Redis. Connects when first used, reconnects by itself, and logs a lost connection once until it is back.
 * A server that refuses the database of the URL counts as one that cannot be connected to.
 *
 * @throws RangeError, which does not show the URL, when no client can be made from it
 * @param url `redis://` or `rediss://`, with user, password and database as usual
 * @param options.silenceMs how long a server may say nothing to a worker or a consumer that waits for an answer before the connection is
 *   taken to be dead: it is given up, and what was asked is asked again on a new one. @default 30000
 */
export function createRedis(
  url: string,
  options: { role: keyof typeof optionsOf; name: string; logger: Logger | null; silenceMs?: number },
): Redis {
  checkRedisUrl(url);
  // The client takes rediss in capitals for one without TLS.
  const client = new Redis(
    url.replace(/^rediss?:/i, (scheme) => scheme.toLowerCase()),
    {
      ...optionsOf[options.role],
      ...(options.role === 'producer' ? {} : { socketTimeout: options.silenceMs ?? defaultSilenceMs }),
      reconnectOnError: (error) => isFailover(error) && (options.role === 'worker' ? reconnectAndRepeat : reconnect),
      lazyConnect: true,
      connectionName: options.name,
    },
  );
  guard(client);
  // Not for workers: BullMQ waits for a connection that is closed, and gives up over any other error.
  if (options.role !== 'worker') tellWhyNotConnected(client);
  let lost = false;
  client.on('error', (error: Error) => {
    if (lost) return;
    lost = true;
    options.logger?.warn({ err: error, connection: options.name }, 'redis connection lost, reconnecting');
  });
  client.on('ready', () => {
    if (lost) options.logger?.info({ connection: options.name }, 'redis connection restored');
    lost = false;
  });
  return client;
}

/** A server that is stopped, or out of reach, does not take leave. */
const leaveWithinMs = 50;

/** Closes a connection, and opens it no more. Resolves when nothing of it is left, which a server can hardly put off. */
export async function disconnect(redis: Redis): Promise<void> {
  // In other states there is no socket, and the client does not say when it has ended.
  if (!['connecting', 'connect', 'ready'].includes(redis.status)) return redis.disconnect();
  const ended = new Promise((resolve) => redis.once('end', resolve));
  redis.disconnect();
  if (await endsWithin(ended, leaveWithinMs)) return;
  redis.stream?.destroy();
  await endsWithin(ended, leaveWithinMs);
}

/** What holds for a client, and for its duplicates: BullMQ makes some for itself. */
function guard(client: Redis): void {
  hideCommands(client);
  insistOnDatabase(client);
  letScriptsMakeRoom(client);
  goOnWithoutInfo(client);
  forgetClosedSocket(client);
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override): Redis => {
    const copy = duplicate(override);
    guard(copy);
    return copy;
  };
}

/**
 * Takes the command off each error. The client puts it there with all arguments: passwords for AUTH, whole jobs for scripts.
 * From there it would come into logs, into rejections that a caller prints, and onto the screen when a process ends over it.
 */
function hideCommands(client: Redis): void {
  // A command that waits for a connection comes here again for each.
  const ours = new WeakSet<Command['reject']>();
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command: Command, stream) => {
    const { reject } = command;
    if (!ours.has(reject)) {
      command.reject = (error: Error) => reject(withoutCommand(error));
      ours.add(command.reject);
    }
    return send(command, stream);
  };
}

function withoutCommand(error: Error & { command?: unknown }): Error {
  delete error.command;
  const message = withoutArguments(error.message);
  if (message !== error.message) {
    if (error.stack !== undefined) error.stack = error.stack.replace(error.message, () => message);
    error.message = message;
  }
  return error;
}

/**
 * Ends each connection on which the server refuses the database: the client by itself only mentions that, and goes on with
 * database 0.
 */
function insistOnDatabase(client: Redis): void {
  const select = client.select.bind(client);
  const insist = async (database: number): Promise<'OK'> => {
    try {
      return await select(database);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      if (client.listenerCount('error') > 0) client.emit('error', error);
      client.disconnect(true);
      // The client would take an answer, of whatever kind, for leave to go on.
      return new Promise<never>(() => undefined);
    }
  };
  client.select = insist as Redis['select'];
}

/** Lets those scripts of BullMQ run while Redis is full that make room there. */
function letScriptsMakeRoom(client: Redis): void {
  const defineCommand = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) =>
    defineCommand(name, isNeededWhenFull(name) ? { ...definition, lua: evenWhenFull(definition.lua) } : definition);
}

/** What is assumed of a server that does not let its user ask: the oldest that BullMQ takes without a warning. */
const assumedInfo = 'redis_version:6.2.0\r\nloading:0\r\n';

/**
 * Lets users work who may not call INFO, as those without `@dangerous` may not: the client
 * and BullMQ ask for it first of all, to learn whether the server has loaded its data and how old it is. Whoever wants to
 * know whether INFO is forbidden sends it by `call`.
 */
function goOnWithoutInfo(client: Redis): void {
  const info = client.info.bind(client) as (...sections: string[]) => Promise<string>;
  const ask = async (sections: string[]): Promise<string> => {
    try {
      return await info(...sections);
    } catch (error) {
      if (classifyRedisError(error).code === 'NOPERM') return assumedInfo;
      throw error;
    }
  };
  client.info = ((...args: (string | InfoCallback)[]) => {
    const last = args.at(-1);
    const answer = ask(args.filter((arg) => typeof arg === 'string'));
    if (typeof last === 'function') {
      answer.then(
        (text) => last(null, text),
        (error: Error) => last(error),
      );
    }
    return answer;
  }) as Redis['info'];
}

type InfoCallback = (error: Error | null, text?: string) => void;

/** The client waits two seconds for its socket to close, also for one that is closed, and a process goes on for as long. */
function forgetClosedSocket(client: Redis): void {
  const leave = client.disconnect.bind(client);
  client.disconnect = (reconnect?: boolean): void => {
    leave(reconnect);
    if (client.stream?.destroyed) client.stream.emit('close');
  };
}

/** Makes `connect()` reject with what went wrong; by itself the client says no more than that the connection is closed. */
function tellWhyNotConnected(client: Redis): void {
  const connect = client.connect.bind(client);
  let reason: Error | null = null;
  client.on('error', (error: Error) => {
    reason ??= error;
  });
  client.connect = async (): Promise<void> => {
    reason = null;
    try {
      await connect();
    } catch (error) {
      throw reason ?? error;
    }
  };
}
