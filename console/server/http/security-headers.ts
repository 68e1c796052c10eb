import type { FastifyReply } from 'fastify';

/** Nothing from other sites, nothing inline, and no framing. */
const ownFilesOnly =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Bull Board sets its address with `<base>`, and has inline styles for what it shows while it loads. */
const bullBoardPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const constantHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // The content is current, and may be somebody's data.
  'cache-control': 'no-store',
};

/** Sets the headers of every answer, including errors. */
export function setSecurityHeaders(path: string, reply: FastifyReply): void {
  const isBullBoard = path === '/queues' || path.startsWith('/queues/');
  reply.headers({
    ...constantHeaders,
    'content-security-policy': isBullBoard ? bullBoardPolicy : ownFilesOnly,
  });
}
