import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAddressedToLoopback, signOfProxy } from '../../shared/platform/request-origin.ts';
import { Refusal } from '../http/refusal.ts';
import type { Scope, Sender } from './sender.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what a route takes; routes without it are probes */
    scope?: Scope;
  }
}

/** Decides who may send, before anything of a body is read. */
export function guardRoutes(app: FastifyInstance, { isClosing }: { isClosing: () => boolean }): void {
  app.decorateRequest('sender', null);
  app.addHook('onRequest', async (request) => {
    const { scope } = request.routeOptions.config;
    if (!isAddressedToLoopback(request.headers))
      throw new Refusal(
        'forbidden',
        'Without tokens, the gateway answers only requests to a loopback name of its machine, such as localhost',
      );
    const sign = signOfProxy(request.raw);
    if (sign !== null)
      throw new Refusal(
        'forbidden',
        `Without tokens, the gateway answers only its own machine, and this request came through a proxy (${sign}). Set SLUICE_GATEWAY_TOKENS_FILE`,
      );
    if (scope === undefined) return;
    if (isClosing()) throw new Refusal('shutting-down', 'The gateway shuts down; send the same body again');
  });
}

/** Who sends; null where there are no tokens. */
export function senderOf(request: FastifyRequest): Sender | null {
  return request.getDecorator<Sender | null>('sender');
}
