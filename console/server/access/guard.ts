import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  isAddressedToLoopback,
  isFromAnotherSite,
  isNavigation,
  signOfProxy,
} from '../../../shared/platform/request-origin.ts';
import { Problem } from '../http/problem.ts';
import { type Access, type AccessNeed, isAllowed } from './access.ts';
import type { Credentials } from './credentials.ts';
import { type PublicAddress, readSession, sessionCookie } from './session.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what a route requires of its caller. @default operator */
    access?: AccessNeed;
  }
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Determines the access of every request before any of its body is read. Needs the cookie plugin. */
export function guardRequests(app: FastifyInstance, credentials: Credentials, address: PublicAddress): void {
  app.decorateRequest('access', null);
  app.addHook('onRequest', async (request) => {
    const { headers, method } = request;
    if (!credentials.areRequired && !isAddressedToLoopback(headers))
      throw new Problem(
        'forbidden',
        'Without tokens, the console answers only requests to a loopback name of its machine, such as localhost',
      );
    if (!credentials.areRequired && isFromAnotherSite(headers, address.origin) && !isLinkToPage(request))
      throw new Problem('forbidden', 'Without tokens, the console does not answer pages of other sites');
    const sign = credentials.areRequired ? null : signOfProxy(request.raw);
    if (sign !== null)
      throw new Problem(
        'forbidden',
        `Without tokens, the console answers only its own machine, and this request came through a proxy (${sign}). Set SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN`,
      );
    if (!safeMethods.has(method) && isFromAnotherSite(headers, address.origin))
      throw new Problem(
        'forbidden',
        'A page of another site may not change anything here. If this is the console’s own page behind a proxy, set SLUICE_CONSOLE_ORIGIN',
      );
    const need = request.is404 ? 'anybody' : (request.routeOptions.config.access ?? 'operator');
    const access = findAccess(request, credentials, address);
    if (access !== null) request.setDecorator('access', access);
    if (need === 'anybody') return;
    if (access === null)
      throw new Problem(
        'unauthenticated',
        'This needs a token: a bearer token in the Authorization header, or a session from POST /login',
      );
    if (!isAllowed(access, need))
      throw new Problem('forbidden', `This needs more access than the token gives (${access.kind})`);
  });
}

/** A link on another site may lead to a page of the console, whose own requests then come from the same site. */
function isLinkToPage({ headers, method, routeOptions }: FastifyRequest): boolean {
  const route = routeOptions.url ?? '';
  return safeMethods.has(method) && isNavigation(headers) && !/^\/(queues\/)?api\/|^\/metrics/.test(route);
}

/** The caller's access, as determined before the route was called. */
export function accessOf(request: FastifyRequest): Access | null {
  return request.getDecorator<Access | null>('access');
}

/** The realm that a caller is confined to; null if to none. */
export function realmOf(request: FastifyRequest): string | null {
  const access = accessOf(request);
  return access?.kind === 'realm' ? access.realm : null;
}

/** A header takes precedence over a cookie: a valid cookie does not make up for an invalid header. */
function findAccess(
  { headers, cookies }: FastifyRequest,
  credentials: Credentials,
  address: PublicAddress,
): Access | null {
  if (headers.authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization)?.[1];
    const found = token === undefined ? null : credentials.find(token);
    if (found !== null) return found.access;
    if (credentials.areRequired) return null;
  }
  if (!credentials.areRequired) return { kind: 'operator' };
  const session = cookies[sessionCookie(address, headers.host)];
  return session === undefined ? null : (readSession(session, credentials, Date.now())?.access ?? null);
}
