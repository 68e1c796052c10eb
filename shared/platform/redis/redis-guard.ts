import { type Cluster, type Command, ReplyError, type Redis as Standalone } from 'ioredis';
import { withoutArguments } from '../error-report.ts';
import { classifyRedisError } from './redis-errors.ts';
import { evenWhenFull, isNeededWhenFull } from './redis-scripts.ts';

/** What holds for a client of one server, and for its duplicates: BullMQ makes some for itself. */
export function guard(client: Standalone): void {
  hideCommands(client);
  insistOnDatabase(client);
  letScriptsMakeRoom(client);
  goOnWithoutInfo(client);
  forgetClosedSocket(client);
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override): Standalone => {
    const copy = duplicate(override);
    guard(copy);
    return copy;
  };
}

/**
 * Takes the command off each error. The client puts it there with all arguments: passwords for AUTH, whole jobs for scripts.
 * From there it would come into logs, into rejections that a caller prints, and onto the screen when a process ends over it.
 */
export function hideCommands(client: Standalone | Cluster): void {
  // A command that waits for a connection comes here again for each.
  const ours = new WeakSet<Command['reject']>();
  const send = client.sendCommand.bind(client);
  client.sendCommand = (
    command: Command,
    ...others: Parameters<typeof send> extends [unknown, ...infer O] ? O : never
  ) => {
    const { reject } = command;
    if (!ours.has(reject)) {
      command.reject = (error: Error) => reject(withoutCommand(error));
      ours.add(command.reject);
    }
    return send(command, ...others);
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
function insistOnDatabase(client: Standalone): void {
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
  client.select = insist as Standalone['select'];
}

/** Lets those scripts of BullMQ run while Redis is full that make room there. */
export function letScriptsMakeRoom(client: Standalone | Cluster): void {
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
export function goOnWithoutInfo(client: Standalone | Cluster): void {
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
  }) as Standalone['info'];
}

type InfoCallback = (error: Error | null, text?: string) => void;

/** The client waits two seconds for its socket to close, also for one that is closed, and a process goes on for as long. */
function forgetClosedSocket(client: Standalone): void {
  const leave = client.disconnect.bind(client);
  client.disconnect = (reconnect?: boolean): void => {
    leave(reconnect);
    if (client.stream?.destroyed) client.stream.emit('close');
  };
}
