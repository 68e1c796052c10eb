import type { FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import type { Credentials } from '../access/credentials.ts';
import { accessOf } from '../access/guard.ts';
import { cookieOptions, issueSession, type PublicAddress, sessionCookie, sessionMs } from '../access/session.ts';
import type { App } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { isBelow } from '../http/base-path.ts';
import { Problem } from '../http/problem.ts';
import { noContent, problems } from '../schemas/common.ts';
import { loginBody, session } from '../schemas/session.ts';

const tags = ['session'];

/** For each address. Behind a proxy that is not trusted, all callers share one; whoever has a session needs no login. */
const loginLimit = { max: 20, timeWindow: 60_000 };

export function addSessionRoutes(app: App, credentials: Credentials, address: PublicAddress): void {
  const { basePath } = address;
  const cookieFor = (request: FastifyRequest) => ({
    name: sessionCookie(address, request.headers.host),
    // If the request came without the base path, the browser's address may not have it either.
    options: cookieOptions(isSecure(request, address), isBelow(request.originalUrl, basePath) ? `${basePath}/` : '/'),
  });
  const toSession = (access: Access | null) => {
    // A scraper has no session.
    if (access === null || access.kind === 'metrics') throw new Problem('unauthenticated', 'This token is not known');
    const realm = access.kind === 'realm' ? access.realm : null;
    return { access: access.kind, realm, needsToken: credentials.areRequired };
  };

  app.get(
    '/api/v1/session',
    apiRoute('realm', {
      operationId: 'getSession',
      summary: 'What the caller may do',
      tags,
      answers: { 200: session },
    }),
    async (request) => toSession(accessOf(request)),
  );

  app.post(
    '/login',
    {
      config: { access: 'anybody', rateLimit: loginLimit },
      schema: {
        operationId: 'login',
        summary: 'Starts a session with a token, for browsers',
        tags,
        security: [],
        body: loginBody,
        response: { 200: session, ...problems },
      },
    },
    async (request, reply) => {
      const found = credentials.find(request.body.token);
      const answer = toSession(found?.access ?? null);
      if (found !== null) {
        const { name, options } = cookieFor(request);
        reply.setCookie(name, issueSession(found, Date.now()), { ...options, maxAge: sessionMs / 1_000 });
      }
      return answer;
    },
  );

  app.delete(
    '/api/v1/session',
    apiRoute('anybody', {
      operationId: 'logout',
      summary: 'Ends this browser’s session',
      tags,
      security: [],
      answers: { 204: noContent },
    }),
    async (request, reply) => {
      const { name, options } = cookieFor(request);
      return reply.clearCookie(name, options).code(204).send();
    },
  );
}

/**
 * Whether the browser uses TLS, with this server or with a proxy before it. Unless the origin is configured, it takes the caller's
 * word: a caller who lies harms only himself.
 */
function isSecure({ protocol, headers }: FastifyRequest, { origin }: PublicAddress): boolean {
  if (origin !== null) return origin.startsWith('https:');
  return protocol === 'https' || headers['x-forwarded-proto'] === 'https';
}
