import { randomUUID } from 'node:crypto';
import type { Server as TlsServer } from 'node:https';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createNoHttpAnswers } from '../../shared/platform/no-http.ts';
import { toNoHttpBody } from './errors.ts';
import { continueOnDemand } from './expect-continue.ts';
import type { ServerTls } from './tls-files.ts';

/** Connections that are open at a time. Further ones are closed at once. */
const maxConnections = 2_000;
/** From the first byte of a request to its last one. */
const requestTimeoutMs = 120_000;
const headersTimeoutMs = 10_000;
const timeoutsEveryMs = 2_000;
/** Load balancers keep idle connections for a minute; the side that is asked should not be the one to close them. */
const keepAliveTimeoutMs = 65_000;

/**
 * A server of HTTP/1.1 whose routes read the bodies themselves, as they come.
 *
 * @param tls null: without
 * @param onBadAddress answers where the address cannot be read, so that no route and no hook is asked
 */
export function createServer(
  tls: ServerTls | null,
  onBadAddress: (request: FastifyRequest, reply: FastifyReply) => void,
): FastifyInstance {
  const noHttp = createNoHttpAnswers(toNoHttpBody);
  const options = {
    bodyLimit: Number.MAX_SAFE_INTEGER,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    genReqId: () => randomUUID(),
    return503OnClosing: false,
    forceCloseConnections: 'idle' as const,
    clientErrorHandler: noHttp.onClientError,
    frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => onBadAddress(request, reply),
  };
  const timeouts = { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: timeoutsEveryMs };
  const app =
    tls === null
      ? Fastify({ ...options, http: timeouts })
      : (Fastify({ ...options, https: { ...tls, ...timeouts } }) as unknown as FastifyInstance);
  app.server.maxConnections = maxConnections;
  noHttp.observe(app.server);
  continueOnDemand(app.server);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  return app;
}

/** From the next connection on. */
export function renewTls(app: FastifyInstance, tls: ServerTls | null): void {
  if (tls !== null) (app.server as unknown as TlsServer).setSecureContext(tls);
}

/** How many connections are open. */
export function openConnections({ server }: FastifyInstance): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}
