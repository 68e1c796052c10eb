import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What an answer is made of. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** an object, whose JSON is sent, or what is sent itself */
  body: object | Uint8Array;
  /** @default 'application/json' */
  type?: string;
}

/** How much of an unwanted body is read before the connection is closed, and for how long, at most. */
const discardedBytes = 1_048_576;
const discardingMs = 500;

/**
 * Answers. Where the body was not read to its end the answer is sent at once, and the connection is closed a moment later:
 * closed at once, it would be reset, and a sender that is still writing would not see the answer.
 */
export function sendAnswer(request: FastifyRequest, reply: FastifyReply, answer: Answer): void {
  const { status, headers = {}, body, type = 'application/json' } = answer;
  const content = body instanceof Uint8Array ? body : JSON.stringify(body);
  if (isReadToItsEnd(request.raw)) {
    void reply.code(status).headers(headers).type(type).send(content);
    return;
  }
  reply.hijack();
  reply.raw.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(content),
    connection: 'close',
  });
  reply.raw.write(content);
  discardRest(request.raw, reply.raw);
}

function isReadToItsEnd({ headers, readableEnded }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return readableEnded || !hasBody;
}

function discardRest(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, discardingMs);
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > discardedBytes) end();
  });
  request.once('end', end).once('close', end).on('error', end).resume();
}
