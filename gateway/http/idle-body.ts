import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from './refusal.ts';

/**
 * Reads a body. If nothing of it comes for `idleMs`, the sender is told, and the connection is closed, which ends the reading with an
 * error.
 *
 * @param onIdle told when that happens
 */
export async function readUnlessIdle(
  request: FastifyRequest,
  reply: FastifyReply,
  { idleMs, onIdle }: { idleMs: number; onIdle: (refusal: Refusal) => void },
  read: () => Promise<void>,
): Promise<void> {
  const end = (): void => {
    const refusal = new Refusal('request-timeout', `Nothing of the body came for ${idleMs} ms`);
    onIdle(refusal);
    const text = JSON.stringify(refusal.body);
    reply.hijack();
    reply.raw.writeHead(refusal.status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    });
    reply.raw.end(text, () => request.raw.destroy());
  };
  request.raw.setTimeout(idleMs, end);
  try {
    await read();
  } finally {
    request.raw.off('timeout', end);
    request.raw.setTimeout(0);
  }
}
