import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A connection on which a test writes HTTP by hand. */
export interface RawConnection {
  socket: Socket;
  write(text: string | Buffer): void;
  /** Resolves when what has come so far contains the text. */
  seen(text: string): Promise<string>;
  /** resolves with all that came when the other side has closed */
  closed: Promise<string>;
}

/** Opens a connection to the server of a URL. */
export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  const waiting = new Set<() => void>();
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (const look of waiting) look();
  });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    seen: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!text.includes(wanted)) return;
          waiting.delete(look);
          resolve(text);
        };
        waiting.add(look);
        socket.once('close', () => reject(new Error(`closed before it said ${wanted}: ${text}`)));
        look();
      }),
    closed: new Promise((resolve) => socket.once('close', () => resolve(text))),
  };
}

/** The head of a POST. @param headers lines without their ends */
export function postHead(path: string, ...headers: string[]): string {
  return [`POST ${path} HTTP/1.1`, 'host: localhost', 'content-type: application/x-ndjson', ...headers, '', ''].join(
    '\r\n',
  );
}
