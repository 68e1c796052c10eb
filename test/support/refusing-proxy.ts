import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from '../../dev/servers/free-port.ts';
import { portOf } from './proxies.ts';

/** What to answer to a command: its words as they were sent, the name first. */
export type Refusal = (words: readonly string[]) => string;

/** What a connection begins with. */
const greetings = new Set(['auth', 'client', 'hello', 'info', 'select']);

/**
 * A way to a Redis server that can answer in its place, with the lines that servers answer with when they are in a state that
 * is hard to bring about.
 */
export async function startRefusingProxy(redisUrl: string) {
  const port = await freePort();
  let refusal: Refusal | null = null;
  let refusesGreetings = false;
  let refused = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(portOf(redisUrl), '127.0.0.1');
    let rest = Buffer.alloc(0);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (let command = firstCommand(rest); command !== null; command = firstCommand(rest)) {
        const [name = ''] = command.words;
        if (refusal !== null && (refusesGreetings || !greetings.has(name.toLowerCase()))) {
          refused += 1;
          client.write(`${refusal(command.words)}\r\n`);
        } else upstream.write(rest.subarray(0, command.bytes));
        rest = rest.subarray(command.bytes);
      }
    });
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(redisUrl);
  url.port = String(port);
  return {
    url: url.href,
    /** commands that were answered so since `answer` */
    get refused(): number {
      return refused;
    },
    /** From now on, also for those that are connected, as they are cut off. @param next null: the server answers itself */
    answer(next: Refusal | null, { greetings: toGreetings = false } = {}): void {
      refusal = next;
      refused = 0;
      refusesGreetings = toGreetings;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The first command of a stream, as clients send them: a list of texts, each with its length in bytes. */
function firstCommand(bytes: Buffer): { words: string[]; bytes: number } | null {
  const count = numberAt(bytes, 0);
  if (count === null) return null;
  let at = count.next;
  const words: string[] = [];
  for (let n = 0; n < count.value; n += 1) {
    const length = numberAt(bytes, at);
    if (length === null || bytes.length < length.next + length.value + 2) return null;
    words.push(bytes.toString('utf8', length.next, length.next + length.value));
    at = length.next + length.value + 2;
  }
  return { words, bytes: at };
}

/** The number of a line such as `*3` or `$5`. */
function numberAt(bytes: Buffer, at: number): { value: number; next: number } | null {
  const end = bytes.indexOf('\r\n', at);
  return end < 0 ? null : { value: Number(bytes.toString('latin1', at + 1, end)), next: end + 2 };
}
