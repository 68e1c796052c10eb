import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../http/problem.ts';
import { type Access, type AccessNeed, isAllowed } from './access.ts';
import type { Credentials } from './credentials.ts';
import { isAddressedToLoopback, isFromAnotherSite, isNavigation, signOfProxy } from './request-origin.ts';
import { type PublicAddress, readSession, sessionCookie } from './session.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what a route asks of its caller; without it: an operator */
    access?: AccessNeed;
  }
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Asks every request who sends it, before anything of its body is read. The plugin for cookies has to be there. */
export function guardRequests(app: FastifyInstance, credentials: Credentials, address: PublicAddress): void {
  app.decorateRequest('access', null);
  app.addHook('onRequest', async (request) => {
    const { headers, method } = request;
    if (!credentials.areRequired && !isAddressedToLoopback(headers))
      throw new Problem('forbidden', 'Without tokens the console answers to the names of its own machine only');
    if (!credentials.areRequired && isFromAnotherSite(headers, address.origin) && !isLinkToPage(request))
      throw new Problem('forbidden', 'Without tokens nothing is told to a page of another site');
    const sign = credentials.areRequired ? null : signOfProxy(request.raw);
    if (sign !== null)
      throw new Problem(
        'forbidden',
        `Without tokens the console answers to its own machine only, and this came through a proxy (${sign}). Set SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN`,
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
        'This needs a token: as a bearer token in the header Authorization, or as a session from POST /login',
      );
    if (!isAllowed(access, need))
      throw new Problem('forbidden', `This needs more than the access that was given (${access.kind})`);
  });
}

/** A link on another site may lead to a page of ours, whose own requests are then not from another site. */
function isLinkToPage({ headers, method, routeOptions }: FastifyRequest): boolean {
  const route = routeOptions.url ?? '';
  return safeMethods.has(method) && isNavigation(headers) && !/^\/(queues\/)?api\/|^\/metrics/.test(route);
}

/** What the caller may do, as it was found before the route was called. */
export function accessOf(request: FastifyRequest): Access | null {
  return request.getDecorator<Access | null>('access');
}

/** The realm that a caller is confined to; null: to none. */
export function realmOf(request: FastifyRequest): string | null {
  const access = accessOf(request);
  return access?.kind === 'realm' ? access.realm : null;
}

/** A header goes before a cookie, and a wrong header is not mended by a right cookie. */
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
