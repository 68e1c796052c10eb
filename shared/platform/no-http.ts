import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What is answered: not valid HTTP, or it did not come in time, or its headers are too large. */
export type NoHttpStatus = 400 | 408 | 431;

/** The content of an answer. */
export interface NoHttpBody {
  type: string;
  body: object;
}

/**
 * Answers what is not valid HTTP, for which there is no request object. What comes behind a whole request waits for its answer, so
 * that nobody takes this one for it.
 *
 * @param write the content, in the form that errors have
 */
export function createNoHttpAnswers(write: (status: NoHttpStatus, error: NodeJS.ErrnoException) => NoHttpBody) {
  const last = new WeakMap<Socket, { request: IncomingMessage; response: ServerResponse }>();
  const waiting = new WeakSet<Socket>();

  const answer = (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
    const { type, body } = write(status, error);
    const text = JSON.stringify(body);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
    );
  };

  return {
    /** Call this once, so that it is known what a connection waits for. */
    observe(server: Server): void {
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        last.set(request.socket, { request, response });
      });
    },
    onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
      // What else comes fails as well.
      if (waiting.has(socket)) return;
      const { request, response } = last.get(socket) ?? {};
      if (request?.complete !== true || response === undefined || response.closed) {
        answer(error, socket);
        return;
      }
      waiting.add(socket);
      response.once('close', () => answer(error, socket));
    },
  };
}
