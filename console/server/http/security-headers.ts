import type { FastifyReply } from 'fastify';

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const ownFilesOnly =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Bull Board says where it is by `<base>`, and styles what is shown while it loads within its page. */
const bullBoardPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const constantHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // What is shown is of now, and may be somebody's data.
  'cache-control': 'no-store',
};

/** Sets the headers that every answer has, errors included. */
export function setSecurityHeaders(path: string, reply: FastifyReply): void {
  const isBullBoard = path === '/queues' || path.startsWith('/queues/');
  reply.headers({
    ...constantHeaders,
    'content-security-policy': isBullBoard ? bullBoardPolicy : ownFilesOnly,
  });
}
