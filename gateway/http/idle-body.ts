import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Ends a request of whose body nothing comes for so long: it says so, and closes the connection.
 *
 * @returns call it when the body is read
 */
export function endWhenIdle(request: FastifyRequest, reply: FastifyReply, idleMs: number): () => void {
  const end = (): void => {
    const text = JSON.stringify({
      error: { code: 'request-timeout', message: `Nothing of the body came for ${idleMs} ms` },
    });
    reply.hijack();
    reply.raw.writeHead(408, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    });
    reply.raw.end(text, () => request.raw.destroy());
  };
  request.raw.setTimeout(idleMs, end);
  return () => {
    request.raw.off('timeout', end);
    request.raw.setTimeout(0);
  };
}
