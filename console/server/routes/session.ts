import type { FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import type { Credentials } from '../access/credentials.ts';
import { accessOf } from '../access/guard.ts';
import { cookieOptions, issueSession, type PublicAddress, sessionCookie, sessionMs } from '../access/session.ts';
import type { App } from '../app.ts';
import { isBelow } from '../http/base-path.ts';
import { Problem } from '../http/problem.ts';
import { noContent, problems } from '../schemas/common.ts';
import { loginBody, session } from '../schemas/session.ts';

const tags = ['session'];

/** Of one address. Behind a proxy that is not trusted all share one; whoever has a session needs no login. */
const loginLimit = { max: 20, timeWindow: 60_000 };

export function addSessionRoutes(app: App, credentials: Credentials, address: PublicAddress): void {
  const { basePath } = address;
  const cookieFor = (request: FastifyRequest) => ({
    name: sessionCookie(address, request.headers.host),
    // Where the request came without the base path, the browser may not have it in the address either.
    options: cookieOptions(isSecure(request, address), isBelow(request.originalUrl, basePath) ? `${basePath}/` : '/'),
  });
  const tell = (access: Access | null) => {
    // A scraper has no session.
    if (access === null || access.kind === 'metrics') throw new Problem('unauthenticated', 'Nobody has this token');
    const realm = access.kind === 'realm' ? access.realm : null;
    return { access: access.kind, realm, needsToken: credentials.areRequired };
  };

  app.get(
    '/api/v1/session',
    {
      config: { access: 'realm' },
      schema: {
        operationId: 'getSession',
        summary: 'What the caller may do',
        tags,
        response: { 200: session, ...problems },
      },
    },
    async (request) => tell(accessOf(request)),
  );

  app.post(
    '/login',
    {
      config: { access: 'anybody', rateLimit: loginLimit },
      schema: {
        operationId: 'login',
        summary: 'Makes a session of a token, for browsers',
        tags,
        security: [],
        body: loginBody,
        response: { 200: session, ...problems },
      },
    },
    async (request, reply) => {
      const found = credentials.find(request.body.token);
      const told = tell(found?.access ?? null);
      if (found !== null) {
        const { name, options } = cookieFor(request);
        reply.setCookie(name, issueSession(found, Date.now()), { ...options, maxAge: sessionMs / 1_000 });
      }
      return told;
    },
  );

  app.delete(
    '/api/v1/session',
    {
      config: { access: 'anybody' },
      schema: {
        operationId: 'logout',
        summary: 'Ends the session of this browser',
        tags,
        security: [],
        response: { 204: noContent, ...problems },
      },
    },
    async (request, reply) => {
      const { name, options } = cookieFor(request);
      return reply.clearCookie(name, options).code(204).send();
    },
  );
}

/**
 * Whether the browser speaks TLS with what stands before this server. Where the configuration does not say, everybody's word
 * is taken: whoever lies harms only himself.
 */
function isSecure({ protocol, headers }: FastifyRequest, { origin }: PublicAddress): boolean {
  if (origin !== null) return origin.startsWith('https:');
  return protocol === 'https' || headers['x-forwarded-proto'] === 'https';
}
