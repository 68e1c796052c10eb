import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** Connections beside the load. */
export const crowd = { idle: 500, slow: 50, hostile: 5 } as const;

const slowEveryMs = 200;
const mib = 1_048_576;

/**
 * Opens idle, slow and hostile connections to a gateway, and opens another one for each that the gateway closes.
 *
 * - idle: ask once and stay
 * - slow: send a body byte by byte
 * - hostile: a line without end, a compressed bomb, records that are none, deep JSON, and bytes that are no HTTP
 */
export function openCrowd(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isOver = false;
  let opened = 0;

  const keepOpen = (use: (socket: Socket) => () => void): void => {
    if (isOver) return;
    const socket = connect({ host: hostname, port: Number(port) });
    sockets.add(socket);
    opened += 1;
    let stop = (): void => undefined;
    socket.on('connect', () => {
      stop = use(socket);
    });
    socket.on('error', () => undefined).resume();
    socket.on('close', () => {
      stop();
      sockets.delete(socket);
      if (!isOver) setTimeout(() => keepOpen(use), slowEveryMs);
    });
  };

  for (let index = 0; index < crowd.idle; index += 1) keepOpen(beIdle);
  for (let index = 0; index < crowd.slow; index += 1) keepOpen(beSlow);
  for (const attack of attacks()) keepOpen(attack);
  return {
    /** those that were closed by the gateway and opened again, too */
    opened: () => opened,
    close(): void {
      isOver = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

const headOf = (headers: string): string =>
  `POST /v1/executions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n${headers}\r\n\r\n`;

function beIdle(socket: Socket): () => void {
  socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  return () => undefined;
}

function beSlow(socket: Socket): () => void {
  socket.write(headOf('Content-Length: 1000000'));
  return every(slowEveryMs, () => socket.write('{'));
}

/** @returns one for each hostile connection; each goes on for as long as the gateway lets it */
function attacks(): ((socket: Socket) => () => void)[] {
  const chunked = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  const stream = (head: string, bytes: Buffer) => (socket: Socket) => {
    socket.write(head);
    const write = (): void => void (socket.writable && socket.write(bytes));
    write();
    socket.on('drain', write);
    return () => undefined;
  };
  const bomb = gzipSync(Buffer.alloc(64 * mib, '\n'));
  const endless = headOf('Transfer-Encoding: chunked');
  return [
    stream(endless, chunked(Buffer.alloc(mib / 4, 'x'))),
    (socket) => {
      socket.write(headOf(`Content-Encoding: gzip\r\nContent-Length: ${bomb.length}`));
      socket.write(bomb);
      return every(1_000, () => socket.destroy());
    },
    stream(endless, chunked(Buffer.from('{"strategyId":7}\n'.repeat(1_000)))),
    stream(endless, chunked(Buffer.from(`${'['.repeat(100_000)}\n`))),
    (socket) => every(slowEveryMs, () => socket.write(Buffer.alloc(20_000, 0xff))),
  ];
}

function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  return () => clearInterval(timer);
}
